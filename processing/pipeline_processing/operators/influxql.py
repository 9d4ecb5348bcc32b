"""What InfluxQL's functions share: over the points of a batch, or of a stream's group and time, to one point or a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import argument, flag, option, string
from pipeline_processing.operators.runs import forgotten
from pipeline_processing.operators.same_times import SameTimes
from pipeline_processing.operators.typed_values import Part, Typed, typed
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Column, Frame, Type
from pipeline_processing.points.keys import Ids, Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of a field's values.

    In:    batches, or points, of which those of one group and time that follow each other are taken together.
    State: on a stream edge, the points of each group's newest time.
    Out:   what `reduced` makes of the batches that have values. Points without the field, and those with a value of
           another type than the first of their batch, are dropped and counted.
    From:  Kapacitor's InfluxQL functions (1.5).
    """

    KIND: ClassVar[str]
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = "stream"
    TYPES: ClassVar[Sequence[Type]] = ("float", "int")
    """Of values that it takes."""

    of: str = argument(string, "the field")
    as_: str = option("as", string, "", "the name of the result; the function's own if unset")
    point_times: bool = option("usePointTimes", flag, False, "the time of the chosen point instead of the batch's")

    @property
    def field(self) -> str:
        return self.of

    @property
    def name(self) -> str:
        return self.as_ or self.KIND

    def initial(self) -> SameTimes:
        return SameTimes()

    def forget(self, state: SameTimes, groups: Ids) -> None:
        state.forget(groups)

    def step(self, state: SameTimes, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data = inputs[0]
        batches = data if isinstance(data, Batches) else state.batches(data, keys)
        state.forget(forgotten(data))
        values = typed(batches, self.field, self.TYPES)
        if not isinstance(data, Batches):
            batches, values = _with_values(batches, values)
        return Step(state=state, out=self.reduced(batches, values, state, keys), errors=values.errors)

    def reduced(self, batches: Batches, values: Typed, state: SameTimes, keys: Keys) -> Data:
        raise NotImplementedError


def _with_values(batches: Batches, values: Typed) -> tuple[Batches, Typed]:
    """Without the batches that have none: on a stream a time that no value has passes unseen, even for `count`."""
    has = values.type_code > 0
    if has.all():
        return batches, values
    at, shift = np.cumsum(has) - 1, np.cumsum(np.where(has, 0, batches.sizes))
    moved = [_moved(part, at, shift) for part in values.parts]
    return batches.take(has), replace(values, type_code=values.type_code[has], parts=moved)


def _moved(part: Part, at: np.ndarray, shift: np.ndarray) -> Part:
    return replace(part, at=at[part.at], row=part.row - np.repeat(shift[part.at], np.diff(part.start)))


def one_each(batches: Batches, at: np.ndarray, time_ns: np.ndarray, columns: dict[tuple[str, Type], Column]) -> Frame:
    """A point for each of these batches, with the tags of its group alone."""
    return Frame(
        time_ns=time_ns,
        series=batches.series[at],
        group=batches.group[at],
        cause=batches.cause[at],
        fields=columns,
    )


def scattered(
    parts: Sequence[tuple[Type, np.ndarray, np.ndarray]], count: int, name: str
) -> dict[tuple[str, Type], Column]:
    """Columns of `count` rows out of parts (type, positions, values); no position is in two."""
    columns: dict[tuple[str, Type], Column] = {}
    for type_, at, values in parts:
        if len(at) == count:
            columns[name, type_] = Column(values)
        elif len(at):
            column = columns.setdefault(
                (name, type_), Column(np.zeros(count, values.dtype), np.zeros(count, dtype=bool))
            )
            column.values[at], column.present[at] = values, True
    return columns
