"""Points in which order matters, whichever edge they come on: on a stream each group is a run that goes on from step to
step, of batches each is a run of its own that begins anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline_processing.operators.operator import Data
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Ids, Keys

NO_GROUPS: Ids = np.empty(0, dtype=np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    rows: Frame
    run: np.ndarray
    """The run of each row: its group on a stream, its batch's position otherwise."""
    count: int
    """Runs are numbered below this."""
    fresh: bool
    """Runs begin with this step, so that state of earlier ones does not count."""

    @classmethod
    def of(cls, data: Data, keys: Keys) -> Runs:
        if isinstance(data, Batches):
            return cls(rows=data.rows, run=data.batch_of_row(), count=len(data), fresh=True)
        return cls(rows=data, run=data.group, count=len(keys.groups), fresh=False)


def with_rows_of(data: Data, kept: np.ndarray, change: Callable[[Frame], Frame]) -> Data:
    """The data with those rows alone, changed; batches stay, even empty ones."""
    if isinstance(data, Batches):
        left = data.kept_rows(kept)
        return left.with_rows(change(left.rows))
    return change(data.kept(kept))


def forgotten(data: Data) -> Ids:
    """The groups of which nothing is to be kept once the data has passed."""
    return NO_GROUPS if data.barriers is None else data.barriers.forgotten()


def rows_of(data: Data) -> Frame:
    return data.rows if isinstance(data, Batches) else data


def with_rows(data: Data, rows: Frame) -> Data:
    """The data with these rows, as many as before."""
    return data.with_rows(rows) if isinstance(data, Batches) else rows
