"""Batches as columns: each a run of points of one group, with a time of its own.

A batch may be empty: `count` of none is 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.frame import Frame, Rows, concatenated, empty_frame
from pipeline_processing.points.keys import Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Batch i has the rows from `start[i]` to `start[i + 1]`; `start` has one entry more than there are batches.

    `series` holds the batch's measurement, and its group's tags; rows have their own. `tmax_ns` is the end of the
    window, or the newest point's time.
    """

    tmax_ns: np.ndarray
    series: Ids
    group: Ids
    cause: np.ndarray
    start: np.ndarray
    rows: Frame
    barriers: Barriers | None = None
    """What follows the batches."""

    def __len__(self) -> int:
        return len(self.tmax_ns)

    @property
    def sizes(self) -> np.ndarray:
        return np.diff(self.start)

    def batch_of_row(self) -> np.ndarray:
        """The batch of each row."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def with_rows(self, rows: Frame) -> Batches:
        """The same batches, each with as many rows as before."""
        return replace(self, rows=rows)

    def kept_rows(self, mask: np.ndarray) -> Batches:
        """The same batches, with those rows alone; none may be left in some."""
        if mask.all():
            return self
        kept = np.concatenate(([0], np.cumsum(mask)))
        return replace(self, start=kept[self.start], rows=self.rows.take(mask))

    def take(self, batches: Rows) -> Batches:
        """The batches at these positions, or where the mask holds."""
        at = np.flatnonzero(batches) if batches.dtype == bool else batches
        sizes = self.sizes[at]
        start = np.concatenate(([0], np.cumsum(sizes)))
        rows = np.repeat(self.start[:-1][at] - start[:-1], sizes) + np.arange(start[-1])
        return Batches(
            tmax_ns=self.tmax_ns[at],
            series=self.series[at],
            group=self.group[at],
            cause=self.cause[at],
            start=start,
            rows=self.rows.take(rows),
        )


def no_batches() -> Batches:
    return Batches(
        tmax_ns=np.empty(0, dtype=np.int64),
        series=np.empty(0, dtype=np.int32),
        group=np.empty(0, dtype=np.int32),
        cause=np.empty(0, dtype=np.int64),
        start=np.zeros(1, dtype=np.int64),
        rows=empty_frame(),
    )


def joined(several: list[Batches]) -> Batches:
    """All batches, those of the first before those of the second."""
    several = [each for each in several if len(each)]
    if len(several) == 1:
        return several[0]
    if not several:
        return no_batches()
    shifts = np.cumsum([0, *(len(each.rows) for each in several[:-1])])
    starts = [each.start[:-1] + shift for each, shift in zip(several, shifts, strict=True)]
    return Batches(
        tmax_ns=np.concatenate([each.tmax_ns for each in several]),
        series=np.concatenate([each.series for each in several]),
        group=np.concatenate([each.group for each in several]),
        cause=np.concatenate([each.cause for each in several]),
        start=np.concatenate([*starts, [sum(len(each.rows) for each in several)]]),
        rows=concatenated([each.rows for each in several]),
    )
