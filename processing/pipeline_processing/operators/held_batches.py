"""Batches that an operator holds back, each at a slot of its own, as `RowStore` holds points.

In:   batches.
Out:  slots; and batches again, at the slots asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numba import njit

from pipeline_processing.operators.operator import Data
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.store import RowStore, grown


@dataclass(slots=True)
class HeldBatches:
    """`first` and `count` are each batch's first row, -1 of none, and how many follow it by the rows' `next`."""

    heads: RowStore = field(default_factory=RowStore)
    """A row a batch, without fields; its time is the batch's."""
    rows: RowStore = field(default_factory=RowStore)
    first: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    count: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.heads)

    def add(self, batches: Batches) -> np.ndarray:
        """The slots (int64) that now hold the batches."""
        slots = self.heads.add(
            Frame(time_ns=batches.tmax_ns, series=batches.series, group=batches.group, cause=batches.cause, fields={})
        )
        rows = self.rows.add(batches.rows)
        full = batches.sizes > 0
        self.rows.next[rows[:-1]] = rows[1:]
        self.rows.next[rows[batches.start[1:][full] - 1]] = -1
        self.first, self.count = (grown(each, len(self.heads.time_ns)) for each in (self.first, self.count))
        self.first[slots] = -1
        self.first[slots[full]] = rows[batches.start[:-1][full]]
        self.count[slots] = batches.sizes
        return slots

    def take(self, slots: np.ndarray) -> Batches:
        """The batches at these slots, in this order."""
        heads = self.heads.take(slots)
        return Batches(
            tmax_ns=heads.time_ns,
            series=heads.series,
            group=heads.group,
            cause=heads.cause,
            start=np.concatenate(([0], np.cumsum(self.count[slots]))),
            rows=self.rows.take(self._rows_of(slots)),
        )

    def free(self, slots: np.ndarray) -> None:
        """Give the slots back; what they held is gone."""
        self.rows.free(self._rows_of(slots))
        self.heads.free(slots)

    def _rows_of(self, slots: np.ndarray) -> np.ndarray:
        return _listed(self.first[slots], self.rows.next, int(self.count[slots].sum()))


Held: TypeAlias = RowStore | HeldBatches


def holder_of(inputs: Sequence[Data]) -> Held:
    """An empty one, for what comes on this kind of edge."""
    return HeldBatches() if isinstance(inputs[0], Batches) else RowStore()


def heads_of(held: Held) -> RowStore:
    """What holds the time, series and group of each slot."""
    return held.heads if isinstance(held, HeldBatches) else held


@njit(cache=True, nogil=True)
def _listed(first, following, count):
    out = np.empty(count, dtype=np.int64)
    n = 0
    for slot in first:
        while slot >= 0:
            out[n] = slot
            n += 1
            slot = following[slot]  # noqa: PLW2901
    return out
