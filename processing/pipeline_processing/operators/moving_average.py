"""Means of the newest values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numba import njit

from pipeline_processing.operators.options import a_string, an_int, argument, arguments
from pipeline_processing.operators.transformation import (
    DROP,
    TAKE,
    Given,
    Newest,
    Rows,
    Transformation,
    nothing_given,
)
from pipeline_processing.points.frame import Type
from pipeline_processing.points.keys import Ids
from pipeline_processing.points.store import grown


class Windows(NamedTuple):
    """`newest.raw` is the sum of a run's values, which are in `raw` from run * size on, the oldest at count % size."""

    newest: Newest
    raw: np.ndarray

    def forget(self, runs: Ids) -> None:
        """What is in `raw` of them does not count any more."""
        self.newest.forget(runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingAverage(Transformation):
    """The mean of a group's newest values, so many as are asked for; nothing before there are as many."""

    KIND: ClassVar[str] = "movingAverage"
    RESULT: ClassVar[Type | None] = "float"

    of: tuple[str, int] = argument(arguments(("field", a_string), ("size", an_int)), "the field, and how many values")

    def __post_init__(self) -> None:
        if self.of[1] < 1:
            raise ValueError(f"takes the mean of 1 value or more, got {self.of[1]}")

    @property
    def field(self) -> str:
        return self.of[0]

    def values(self, before: Windows | None, runs: int) -> Windows:
        newest, raw = before or (None, np.empty(0, dtype=np.int64))
        return Windows(Newest.grown(newest, runs), grown(raw, runs * self.of[1]))

    def given(self, rows: Rows, values: Windows) -> Given:
        given = nothing_given(len(rows.run))
        real = Windows(
            values.newest._replace(raw=values.newest.raw.view(np.float64)),
            values.raw.view(np.float64),
        )
        _means(rows, values, given, self.of[1], (rows.raw.view(np.float64), real, given.raw.view(np.float64)))
        return given


@njit(cache=True, nogil=True)
def _means(rows, windows, given, size, reals):
    """`reals` are the same bits as those of rows, windows and what is given, as floats.

    Sums run on, as influxdb's: what leaves is taken off, and what comes is added.
    """
    real, windows_real, means = reals
    newest = windows.newest
    for i in range(len(rows.run)):
        if rows.fate[i] == DROP:
            continue
        run = rows.run[i]
        if rows.fate[i] == TAKE:
            place = run * size + newest.count[run] % size
            full = newest.count[run] >= size
            if rows.integer[i]:
                _slide(newest.raw, windows.raw, (run, place), rows.raw[i], full)
            else:
                _slide(windows_real.newest.raw, windows_real.raw, (run, place), real[i], full)
            newest.count[run] += 1
            newest.time_ns[run] = rows.time_ns[i]
        if newest.count[run] >= size:
            total = float(newest.raw[run]) if rows.integer[i] else windows_real.newest.raw[run]
            given.mark[i], given.time_ns[i], means[i] = True, newest.time_ns[run], total / size


@njit(cache=True, nogil=True)
def _slide(sums, held, where, value, full):
    run, place = where
    if full:
        sums[run] -= held[place]
    held[place] = value
    sums[run] += value
