"""Sums so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit

from pipeline_processing.operators.transformation import DROP, TAKE, Given, Newest, Rows, Transformation, nothing_given


@dataclass(frozen=True, slots=True, kw_only=True)
class CumulativeSum(Transformation):
    """The sum of a group's values up to the point; integers wrap around, as Go's."""

    KIND: ClassVar[str] = "cumulativeSum"

    def values(self, before: Newest | None, runs: int) -> Newest:
        """`raw` is the sum."""
        return Newest.grown(before, runs)

    def given(self, rows: Rows, values: Newest) -> Given:
        given = nothing_given(len(rows.run))
        _sums(rows, rows.raw.view(np.float64), values, values.raw.view(np.float64), given)
        return given


@njit(cache=True, nogil=True)
def _sums(rows, real, sums, sums_real, given):
    """`real` and `sums_real` are the same bits, as floats; 0 has the same in both."""
    for i in range(len(rows.run)):
        if rows.fate[i] == DROP:
            continue
        run = rows.run[i]
        if rows.fate[i] == TAKE:
            sums.time_ns[run] = rows.time_ns[i]
            if rows.integer[i]:
                sums.raw[run] += rows.raw[i]
            else:
                sums_real[run] += real[i]
        given.mark[i], given.time_ns[i], given.raw[i] = True, sums.time_ns[run], sums.raw[run]
