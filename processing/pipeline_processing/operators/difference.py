"""By how much a value differs from the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit

from pipeline_processing.operators.transformation import TAKE, Given, Newest, Rows, Transformation, nothing_given


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference(Transformation):
    """A value less the one before it in its group; the first gives nothing, nor does one of the same time as before."""

    KIND: ClassVar[str] = "difference"
    AGAIN: ClassVar[bool] = False

    def values(self, before: Newest | None, runs: int) -> Newest:
        return Newest.grown(before, runs)

    def given(self, rows: Rows, values: Newest) -> Given:
        given = nothing_given(len(rows.run))
        _differences(rows, values, given, tuple(each.raw.view(np.float64) for each in (rows, values, given)))
        return given


@njit(cache=True, nogil=True)
def _differences(rows, newest, given, reals):
    """`reals` are the same bits as those of the three, as floats."""
    real, newest_real, given_real = reals
    for i in range(len(rows.run)):
        run = rows.run[i]
        seen = newest.count[run] > 0
        if rows.fate[i] != TAKE or (seen and newest.time_ns[run] == rows.time_ns[i]):
            continue
        if seen:
            given.mark[i], given.time_ns[i] = True, rows.time_ns[i]
            if rows.integer[i]:
                given.raw[i] = rows.raw[i] - newest.raw[run]
            else:
                given_real[i] = real[i] - newest_real[run]
        newest.raw[run], newest.time_ns[run] = rows.raw[i], rows.time_ns[i]
        newest.count[run] = 1
