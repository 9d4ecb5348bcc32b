"""Fields and tags for points that lack them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import a_string, arguments, option, type_name
from pipeline_processing.operators.retagging import Retagging
from pipeline_processing.operators.runs import rows_of, with_rows
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Column, Frame, Type, absent
from pipeline_processing.points.keys import Keys, Tags, sorted_tags

TYPES: dict[type, Type] = {float: "float", int: "int", str: "string", bool: "bool"}


def a_default(value: Any) -> float | int | str | bool:
    if type(value) not in TYPES:
        raise ValueError(f"takes a float, an integer, a string or a bool, got {type_name(value)}")
    return value


FIELD = arguments(("name", a_string), ("value", a_default))
TAG = arguments(("name", a_string), ("value", a_string))


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """Set a field where it is missing or null, and a tag where it is missing or ''.

    Out:   all points. A group's tag that was '' has the value, so that other groups are made; a batch's group has the tag
           too where it was not grouped by it.
    From:  Kapacitor's `default`.
    """

    KIND: ClassVar[str] = "default"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None
    COUNTS: ClassVar[Sequence[str]] = ("fields_defaulted", "tags_defaulted")

    fields: tuple[tuple[str, Any], ...] = option(
        "field", FIELD, (), "a field's name, and the value to set", gathers=True
    )
    tags: tuple[tuple[str, str], ...] = option("tag", TAG, (), "a tag's name, and the value to set", gathers=True)

    def initial(self) -> Retagging:
        return Retagging()

    def step(self, state: Retagging, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data, rows, filled = inputs[0], rows_of(inputs[0]), 0
        for name, value in dict(self.fields).items():
            lacks = _lacking(rows, name)
            filled += int(lacks.sum())
            rows = _filled(rows, name, value, lacks)
        counted = {
            "fields_defaulted": filled,
            "tags_defaulted": state.count(data, keys, self._lacks) if self.tags else 0,
        }
        data = with_rows(data, rows)
        if not self.tags:
            return Step(state=state, out=data, counted=counted)
        group_tags = self._tagged if isinstance(data, Batches) else self._regrouped
        return Step(state=state, out=state.of(data, keys, self._tagged, group_tags), counted=counted)

    def _tagged(self, tags: Tags) -> Tags:
        own = {name: value for name, value in tags if value}
        return sorted_tags({**dict(tags), **dict(self.tags), **own}.items())

    def _regrouped(self, tags: Tags) -> Tags:
        values = dict(self.tags)
        return tuple((name, value or values.get(name, "")) for name, value in tags)

    def _lacks(self, tags: Tags) -> int:
        return sum(1 for name in dict(self.tags) if not dict(tags).get(name))


def _lacking(rows: Frame, name: str) -> np.ndarray:
    lacks = np.ones(len(rows), dtype=bool)
    for type_, column in rows.columns_of(name).items():
        if type_ != "null":
            lacks &= ~column.mask()
    return lacks


def _filled(rows: Frame, name: str, value: Any, lacks: np.ndarray) -> Frame:
    if not lacks.any():
        return rows
    columns = {type_: column for type_, column in rows.columns_of(name).items() if type_ != "null"}
    type_ = TYPES[type(value)]
    column = columns.get(type_, absent(type_, len(rows)))
    values, present = column.values.copy(), column.mask() | lacks
    values[lacks] = value
    return rows.replaced(name, {**columns, type_: Column(values, None if present.all() else present)})
