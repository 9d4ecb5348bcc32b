"""Functions that choose one point of a batch, with its tags and fields: first, last, min, max, percentile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit

from pipeline_processing.operators.go_sort import go_sorted
from pipeline_processing.operators.group_series import renamed
from pipeline_processing.operators.influxql import Function
from pipeline_processing.operators.options import a_float, a_string, argument, arguments, flag, option
from pipeline_processing.operators.same_times import SameTimes
from pipeline_processing.operators.typed_values import Part, Typed
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector(Function):
    """The chosen point at the batch's time, or at its own; its field has the name of the result."""

    OWN_TIMES: ClassVar[bool] = True
    """Whether it has points' times where they are asked for."""

    alone: bool = option(
        "alone", flag, False, "the value alone, with the tags of its group, as in Kapacitor 0.10 (not in Kapacitor 1.x)"
    )

    def reduced(self, batches: Batches, values: Typed, state: SameTimes, keys: Keys) -> Frame:
        chosen = np.full(len(batches), -1)
        for part in values.parts:
            own = self.chosen(part)
            chosen[part.at] = np.where(own < 0, -1, part.row[own])
        at = np.flatnonzero(chosen >= 0)
        rows = batches.rows.take(chosen[at])
        return Frame(
            time_ns=rows.time_ns if self.point_times and self.OWN_TIMES else batches.tmax_ns[at],
            series=batches.series[at] if self.alone else renamed(rows.series, batches.series[at], state.known, keys),
            group=batches.group[at],
            cause=batches.cause[at],
            fields=self._named(rows).fields,
        )

    def chosen(self, part: Part) -> np.ndarray:
        """The position of one value of each batch of the part, or -1."""
        raise NotImplementedError

    def _named(self, rows: Frame) -> Frame:
        if self.alone:
            rows = rows.with_fields(
                {(name, type_): each for (name, type_), each in rows.fields.items() if name == self.field}
            )
        if self.name == self.field:
            return rows
        return rows.without(self.field).replaced(self.name, rows.columns_of(self.field))


@dataclass(frozen=True, slots=True, kw_only=True)
class First(Selector):
    """The oldest; of one time the greatest value, or FALSE."""

    KIND: ClassVar[str] = "first"
    TYPES = ("float", "int", "string", "bool")

    def chosen(self, part: Part) -> np.ndarray:
        value = ~part.values.astype(bool) if part.type == "bool" else part.ranks()
        return _newest(-part.time_ns, value, part.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Last(Selector):
    """The newest; of one time the greatest value, or TRUE."""

    KIND: ClassVar[str] = "last"
    TYPES = ("float", "int", "string", "bool")

    def chosen(self, part: Part) -> np.ndarray:
        return _newest(part.time_ns, part.ranks(), part.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Min(Selector):
    """The least value; of several the oldest."""

    KIND: ClassVar[str] = "min"

    def chosen(self, part: Part) -> np.ndarray:
        return _least(part.values, part.time_ns, part.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Max(Selector):
    """The greatest value; of several the oldest."""

    KIND: ClassVar[str] = "max"

    def chosen(self, part: Part) -> np.ndarray:
        return _greatest(part.values, part.time_ns, part.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile(Selector):
    """The value at the nearest rank of a percentage, without interpolation; none where the rank is outside.

    Its time is the batch's even where points' times are asked for, as Kapacitor's is.
    """

    KIND: ClassVar[str] = "percentile"
    OWN_TIMES: ClassVar[bool] = False

    of: tuple[str, float] = argument(
        arguments(("a field", a_string), ("a percentage", a_float)), "the field, and the percentage"
    )

    @property
    def field(self) -> str:
        return self.of[0]

    def chosen(self, part: Part) -> np.ndarray:
        return _ranked(part.values, self.of[1], part.start)


@njit(cache=True, nogil=True)
def _newest(time_ns, value, start):
    chosen = start[:-1].copy()
    for batch in range(len(chosen)):
        best = start[batch]
        for i in range(best + 1, start[batch + 1]):
            if time_ns[i] > time_ns[best] or (time_ns[i] == time_ns[best] and value[i] > value[best]):
                best = i
        chosen[batch] = best
    return chosen


@njit(cache=True, nogil=True)
def _least(value, time_ns, start):
    chosen = start[:-1].copy()
    for batch in range(len(chosen)):
        best = start[batch]
        for i in range(best + 1, start[batch + 1]):
            if value[i] < value[best] or (value[i] == value[best] and time_ns[i] < time_ns[best]):
                best = i
        chosen[batch] = best
    return chosen


@njit(cache=True, nogil=True)
def _greatest(value, time_ns, start):
    chosen = start[:-1].copy()
    for batch in range(len(chosen)):
        best = start[batch]
        for i in range(best + 1, start[batch + 1]):
            if value[i] > value[best] or (value[i] == value[best] and time_ns[i] < time_ns[best]):
                best = i
        chosen[batch] = best
    return chosen


@njit(cache=True, nogil=True)
def _ranked(value, percentage, start):
    chosen = np.full(len(start) - 1, -1, dtype=np.int64)
    for batch in range(len(chosen)):
        count = start[batch + 1] - start[batch]
        rank = int(np.floor(count * percentage / 100.0 + 0.5)) - 1
        if 0 <= rank < count:
            chosen[batch] = go_sorted(value, start[batch], start[batch + 1])[rank]
    return chosen
