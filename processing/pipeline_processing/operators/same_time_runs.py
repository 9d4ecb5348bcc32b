"""Points of a group that follow each other with one time, as batches.

In:    points, or batches, their times already rounded.
State: of points, each group's last run, and a series of its first point ever.
Out:   runs in the order in which they end: on a stream as soon as a point of the group has another time, so the last stays;
       in a batch, with it. A run has the time of its points, and the measurement of its group's first point or its batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit

from pipeline_processing.operators.group_series import GroupSeries
from pipeline_processing.points.batches import Batches, no_batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import RowStore, grown, reset

NONE = -1


class Open(NamedTuple):
    """Of each group: the slots of its open run, the first and the last, and how many they are; -1 before there is one."""

    first: np.ndarray
    last: np.ndarray
    count: np.ndarray


class Came(NamedTuple):
    slot: np.ndarray
    group: np.ndarray


class Slots(NamedTuple):
    time_ns: np.ndarray
    following: np.ndarray


@dataclass(slots=True)
class SameTimeRuns:
    store: RowStore = field(default_factory=RowStore)
    open: Open = field(default_factory=lambda: Open(*(np.empty(0, dtype=np.int64) for _ in range(3))))
    like: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    known: GroupSeries = field(default_factory=GroupSeries)

    def of_points(self, points: Frame, keys: Keys) -> Batches:
        if len(points) == 0:
            return no_batches()
        self._name_groups(points, keys)
        self.open = Open(*(grown(each, len(keys.groups), NONE) for each in self.open))
        came = Came(self.store.add(points), points.group)
        slots = Slots(self.store.time_ns, self.store.next)
        slot, sizes, row = _ended(came, self.open, slots, len(self.store))
        rows = self.store.take(slot)
        self.store.free(slot)
        start = np.concatenate(([0], np.cumsum(sizes)))
        group = points.group[row]
        return Batches(
            tmax_ns=rows.time_ns[start[:-1]],
            series=self.known.of(group, self.like[group], keys),
            group=group,
            cause=points.cause[row],
            start=start,
            rows=rows,
        )

    def held_series(self) -> Ids:
        return np.concatenate((self.like, self.store.held_series()))

    def forget(self, groups: Ids) -> None:
        """What these groups hold never comes out."""
        met = groups[groups < len(self.open.first)]
        self.store.free(_held(met, self.open, self.store.next))
        reset(self.open.first, met, NONE)
        reset(self.like, met, NONE)

    def _name_groups(self, points: Frame, keys: Keys) -> None:
        self.like = grown(self.like, len(keys.groups), NONE)
        new = np.flatnonzero(self.like[points.group] == NONE)
        if len(new):
            groups, first = np.unique(points.group[new], return_index=True)
            self.like[groups] = points.series[new[first]]


def runs_of_batches(batches: Batches) -> tuple[Batches, np.ndarray]:
    """The runs, and the batch of each."""
    batch, time_ns = batches.batch_of_row(), batches.rows.time_ns
    begins = np.ones(len(batch), dtype=bool)
    begins[1:] = (batch[1:] != batch[:-1]) | (time_ns[1:] != time_ns[:-1])
    first = np.flatnonzero(begins)
    of_run = batch[first]
    runs = Batches(
        tmax_ns=time_ns[first],
        series=batches.series[of_run],
        group=batches.group[of_run],
        cause=batches.cause[of_run],
        start=np.append(first, len(batch)),
        rows=batches.rows,
    )
    return runs, of_run


@njit(cache=True, nogil=True)
def _held(groups, held, following):
    """The slots of these groups' runs."""
    total = 0
    for group in groups:
        total += held.count[group] if held.first[group] >= 0 else 0
    out = np.empty(total, dtype=np.int64)
    n = 0
    for group in groups:
        slot = held.first[group]
        while slot >= 0:
            out[n] = slot
            n += 1
            slot = following[slot]
    return out


@njit(cache=True, nogil=True)
def _ended(came, held, slots, room):
    """The slots of the runs that ended, the size of each, and the arrival that ended it."""
    out = np.empty(room, dtype=np.int64)
    size = np.empty(len(came.slot), dtype=np.int64)
    row = np.empty(len(came.slot), dtype=np.int64)
    n = runs = 0
    for i in range(len(came.slot)):
        slot, group = came.slot[i], came.group[i]
        first = held.first[group]
        if first >= 0 and slots.time_ns[first] == slots.time_ns[slot]:
            slots.following[held.last[group]] = slot
            held.count[group] += 1
        else:
            if first >= 0:
                size[runs], row[runs] = held.count[group], i
                runs += 1
            while first >= 0:
                out[n] = first
                n += 1
                first = slots.following[first]
            held.first[group], held.count[group] = slot, 1
        held.last[group] = slot
        slots.following[slot] = NONE
    return out[:n], size[:runs], row[:runs]
