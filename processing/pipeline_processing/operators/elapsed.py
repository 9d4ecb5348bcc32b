"""The time between points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from numba import njit

from pipeline_processing.operators.options import a_duration, a_string, argument, arguments
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed(Transformation):
    """How many whole units are between a group's point and the one before it; the first gives nothing."""

    KIND: ClassVar[str] = "elapsed"
    TYPES: ClassVar[Sequence[Type]] = ("float", "int", "bool", "string")
    RESULT: ClassVar[Type | None] = "int"

    of: tuple[str, int] = argument(arguments(("field", a_string), ("unit", a_duration)), "the field, and the unit")

    def __post_init__(self) -> None:
        if self.of[1] == 0:
            raise ValueError("takes a unit that is not 0")

    @property
    def field(self) -> str:
        return self.of[0]

    def values(self, before: Newest | None, runs: int) -> Newest:
        """`raw` is the time of the point before the newest."""
        return Newest.grown(before, runs)

    def given(self, rows: Rows, values: Newest) -> Given:
        return _elapsed(rows, values, self.of[1], nothing_given(len(rows.run)))


@njit(cache=True, nogil=True)
def _elapsed(rows, newest, unit_ns, given):
    for i in range(len(rows.run)):
        if rows.fate[i] == DROP:
            continue
        run = rows.run[i]
        if rows.fate[i] == TAKE:
            newest.raw[run], newest.time_ns[run] = newest.time_ns[run], rows.time_ns[i]
            newest.count[run] += 1
        if newest.count[run] > 1:
            between = newest.time_ns[run] - newest.raw[run]
            units = between // unit_ns
            if units < 0 and units * unit_ns != between:
                units += 1  # Go's division truncates
            given.mark[i], given.time_ns[i], given.raw[i] = True, newest.time_ns[run], units
    return given
