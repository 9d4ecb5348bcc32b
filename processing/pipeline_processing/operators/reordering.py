"""Points held back and let go in the order of their times, by group.

In:    points in arrival order.
State: those that are held, a heap a group, and the highest time of each group.
Out:   of each group, with a point that comes: those that are not newer than its highest time less the wait, itself included;
       with a barrier: those that are not newer than that; at the end: all. Of one time, in the order of their arrival.
Drops points older than their group's highest time less the wait.
From:  watermarks of Akidau et al., "The Dataflow Model", VLDB 2015, one a group; the heaps are Sleator and Tarjan's skew
       heaps, "Self-Adjusting Heaps", 1986.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numba import njit

from pipeline_processing.operators.arrivals import CLOSING_CAUSE
from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.frame import Frame, concatenated
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import RowStore, grown, reset

NONE = -1
UNSEEN = np.iinfo(np.int64).min


class Heaps(NamedTuple):
    """`root` and `highest_ns` are by group, the others by slot; `arrival` counts points."""

    root: np.ndarray
    highest_ns: np.ndarray
    left: np.ndarray
    right: np.ndarray
    arrival: np.ndarray


class Came(NamedTuple):
    slot: np.ndarray
    group: np.ndarray


class Gone(NamedTuple):
    """Slots that come out, and which arrival made each do so; and slots that came too late."""

    slot: np.ndarray
    by: np.ndarray
    late: np.ndarray


@dataclass(slots=True)
class Reordering:
    store: RowStore = field(default_factory=RowStore)
    heaps: Heaps = field(default_factory=lambda: Heaps(*(np.empty(0, dtype=np.int64) for _ in Heaps._fields)))
    arrivals: int = 0

    def step(self, points: Frame, wait_ns: int, keys: Keys) -> tuple[Frame, int]:
        """What comes out, with the barriers behind the points; and how many points were too late."""
        slot = self.store.add(points)
        self._grow(len(keys.groups))
        self.heaps.arrival[slot] = np.arange(self.arrivals, self.arrivals + len(slot))
        self.arrivals += len(slot)
        gone = _passed(Came(slot, points.group), self.heaps, self.store.time_ns, wait_ns, len(self.store))
        out = replace(self.store.take(gone.slot), cause=points.cause[gone.by])
        self.store.free(np.concatenate((gone.slot, gone.late)))
        if points.barriers is not None:
            out = replace(concatenated([out, self._told(points.barriers)]), barriers=points.barriers)
        return out, len(gone.late)

    def rest(self) -> Frame:
        """All that is held, of all groups in the order of time."""
        held = self.store.slots()
        held = held[np.lexsort((self.heaps.arrival[held], self.store.time_ns[held]))]
        out = self.store.take(held)
        self.store.free(held)
        self.heaps.root[:] = NONE
        return replace(out, cause=np.full(len(held), CLOSING_CAUSE))

    def forget(self, groups: Ids) -> None:
        """What is held of these groups never comes out."""
        met = groups[groups < len(self.heaps.root)].astype(np.int64)
        slot, _ = _until(
            met, np.full(len(met), np.iinfo(np.int64).max), self.heaps, self.store.time_ns, len(self.store)
        )
        self.store.free(slot)
        reset(self.heaps.highest_ns, met, UNSEEN)

    def _told(self, barriers: Barriers) -> Frame:
        """What a barrier lets go; of a group that is to be forgotten, all."""
        until_ns = np.where(barriers.forget, np.iinfo(np.int64).max, barriers.time_ns)
        slot, by = _until(barriers.group.astype(np.int64), until_ns, self.heaps, self.store.time_ns, len(self.store))
        out = replace(self.store.take(slot), cause=barriers.cause[by])
        self.store.free(slot)
        reset(self.heaps.highest_ns, barriers.forgotten(), UNSEEN)
        return out

    def _grow(self, groups: int) -> None:
        slots = len(self.store.time_ns)
        self.heaps = Heaps(
            root=grown(self.heaps.root, groups, NONE),
            highest_ns=grown(self.heaps.highest_ns, groups, UNSEEN),
            left=grown(self.heaps.left, slots, NONE),
            right=grown(self.heaps.right, slots, NONE),
            arrival=grown(self.heaps.arrival, slots),
        )


@njit(cache=True, nogil=True)
def _passed(came, heaps, time_ns, wait_ns, held):
    out, by = np.empty(held, dtype=np.int64), np.empty(held, dtype=np.int64)
    late, n, dropped = np.empty(len(came.slot), dtype=np.int64), 0, 0
    for i in range(len(came.slot)):
        slot, group = came.slot[i], came.group[i]
        if time_ns[slot] < _mark(heaps.highest_ns[group], wait_ns):
            late[dropped] = slot
            dropped += 1
            continue
        heaps.highest_ns[group] = max(heaps.highest_ns[group], time_ns[slot])
        heaps.left[slot], heaps.right[slot] = NONE, NONE
        heaps.root[group] = _merged(heaps, time_ns, heaps.root[group], slot)
        before, n = n, _popped(heaps, time_ns, (group, _mark(heaps.highest_ns[group], wait_ns)), out, n)
        by[before:n] = i
    return Gone(out[:n], by[:n], late[:dropped])


@njit(cache=True, nogil=True)
def _until(groups, until_ns, heaps, time_ns, held):
    """The slots of these groups up to a time each, and which group each is of, by position."""
    out, by, n = np.empty(held, dtype=np.int64), np.empty(held, dtype=np.int64), 0
    for i in range(len(groups)):
        before, n = n, _popped(heaps, time_ns, (groups[i], until_ns[i]), out, n)
        by[before:n] = i
    return out[:n], by[:n]


@njit(cache=True, nogil=True)
def _mark(highest_ns, wait_ns):
    """Older points than this come too late."""
    return highest_ns - wait_ns if highest_ns > UNSEEN + wait_ns else UNSEEN


@njit(cache=True, nogil=True)
def _popped(heaps, time_ns, until, out, n):
    group, until_ns = until
    while heaps.root[group] != NONE and time_ns[heaps.root[group]] <= until_ns:
        slot = heaps.root[group]
        out[n] = slot
        n += 1
        heaps.root[group] = _merged(heaps, time_ns, heaps.left[slot], heaps.right[slot])
    return n


@njit(cache=True, nogil=True)
def _merged(heaps, time_ns, one, other):
    """The root of both heaps together."""
    if one == NONE:
        return other
    if other == NONE:
        return one
    if _comes_first(heaps, time_ns, other, one):
        one, other = other, one
    root = one
    while heaps.right[one] != NONE:
        following = heaps.right[one]
        if _comes_first(heaps, time_ns, other, following):
            following, other = other, following
        heaps.right[one] = heaps.left[one]
        heaps.left[one] = following
        one = following
    heaps.right[one] = heaps.left[one]
    heaps.left[one] = other
    return root


@njit(cache=True, nogil=True)
def _comes_first(heaps, time_ns, one, other):
    if time_ns[one] != time_ns[other]:
        return time_ns[one] < time_ns[other]
    return heaps.arrival[one] < heaps.arrival[other]
