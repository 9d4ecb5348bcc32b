"""Batches whose points have other groups, put together again: one batch a group and time.

In:    batches, their rows in new groups.
State: the rows of the batches with the newest time.
Out:   those of a time once a batch of another time follows; each has the measurement of the batch that its first row was in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from pipeline_processing.operators.go_sort import go_sorted
from pipeline_processing.operators.group_series import GroupSeries
from pipeline_processing.points.batches import Batches, no_batches
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import RowStore, grown

UNSEEN = np.iinfo(np.int64).min


@dataclass(slots=True)
class Regrouped:
    """`slot` and `like` have `count` entries: the held rows in the order of their arrival, and a series of each one's batch."""

    store: RowStore = field(default_factory=RowStore)
    time_ns: int = UNSEEN
    count: int = 0
    slot: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    like: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    known: GroupSeries = field(default_factory=GroupSeries)

    def held_series(self) -> Ids:
        return np.concatenate((self.like[: self.count], self.store.held_series()))

    def step(self, batches: Batches, keys: Keys) -> Batches:
        if len(batches) == 0:
            return no_batches()
        held = self.count
        batch = batches.batch_of_row()
        self._hold(self.store.add(batches.rows), batches.series[batch])
        times = np.concatenate(([self.time_ns], batches.tmax_ns))
        turns = np.flatnonzero(times[1:] != times[:-1])
        self.time_ns = int(times[-1])
        if len(turns) == 0:
            return no_batches()
        round_of_row = np.concatenate((np.zeros(held, dtype=np.int64), np.searchsorted(turns, batch, side="right")))
        ended = int(np.searchsorted(round_of_row, len(turns)))
        return self._batches(round_of_row[:ended], times[turns], batches.cause[turns], keys)

    def _hold(self, slot: np.ndarray, like: np.ndarray) -> None:
        after = self.count + len(slot)
        self.slot, self.like = grown(self.slot, after), grown(self.like, after)
        self.slot[self.count : after], self.like[self.count : after] = slot, like
        self.count = after

    def _batches(self, round_of_row: np.ndarray, time_ns: np.ndarray, cause: np.ndarray, keys: Keys) -> Batches:
        """The first rows held, which belong to these rounds; each round has a time and what ended it."""
        slot, like = self._let_go(len(round_of_row))
        group = self.store.group[slot]
        _, first, batch = np.unique(round_of_row * len(keys.groups) + group, return_index=True, return_inverse=True)
        in_order = np.argsort(first)
        batch = np.argsort(in_order)[batch]
        first = first[in_order]
        order = np.argsort(batch, kind="stable")
        start = np.concatenate(([0], np.cumsum(np.bincount(batch, minlength=len(first)))))
        rows = self.store.take(slot[order][_sorted_by_time(self.store.time_ns[slot[order]], start)])
        self.store.free(slot)
        return Batches(
            tmax_ns=time_ns[round_of_row[first]],
            series=self.known.of(group[first], like[first], keys),
            group=group[first],
            cause=cause[round_of_row[first]],
            start=start,
            rows=rows,
        )

    def _let_go(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        slot, like = self.slot[:count].copy(), self.like[:count].copy()
        left = self.count - count
        self.slot[:left], self.like[:left] = self.slot[count : self.count].copy(), self.like[count : self.count].copy()
        self.count = left
        return slot, like


@njit(cache=True, nogil=True)
def _sorted_by_time(time_ns, start):
    order = np.empty(len(time_ns), dtype=np.int64)
    for batch in range(len(start) - 1):
        order[start[batch] : start[batch + 1]] = go_sorted(time_ns, start[batch], start[batch + 1])
    return order
