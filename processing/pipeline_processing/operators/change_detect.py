"""Points with another value than before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
from numba import njit

from pipeline_processing.expressions.distinct import distinct
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import Arguments, argument, strings
from pipeline_processing.operators.runs import Runs, forgotten, with_rows_of
from pipeline_processing.points.frame import Frame, Type
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import grown, reset

NOTHING, NAN, STRING = 0, 1, 2
"""Kinds of values: a missing one is as a null, and no NaN is another's equal."""
KINDS: dict[Type, int] = {"null": NOTHING, "string": STRING, "float": 3, "int": 4, "bool": 5, "duration": 6, "time": 7}


def some_fields(given: Arguments) -> tuple[str, ...]:
    if not given:
        raise ValueError("takes one field or more")
    return strings(given)


class Values(NamedTuple):
    """Of each field (first axis) and row: `bits` are equal where values of a kind are."""

    present: np.ndarray
    kind: np.ndarray
    bits: np.ndarray


@dataclass(slots=True)
class Passed:
    """Values of each group's last point that passed, at group * fields + field; of a text, `bits` counts in a step only."""

    kind: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int8))
    bits: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    text: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=object))

    def grow(self, places: int) -> None:
        self.kind, self.bits, self.text = (grown(each, places) for each in (self.kind, self.bits, self.text))

    def forget(self, groups: Ids, fields: int) -> None:
        places = places_of(groups, fields)
        reset(self.kind, places, NOTHING)
        reset(self.text, places)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDetect:
    """Pass a point when one of the fields differs from the last point of its group that passed; the first passes.

    In:    points in arrival order, or batches, each of which begins anew.
    State: the values of one point a group.
    Out:   a subset of the points, unchanged. Fields that a point lacks do not differ; they are counted, as errors, up to
           the first that does.
    From:  Kapacitor's `changeDetect`. An integer differs from the float of its value.
    """

    KIND: ClassVar[str] = "changeDetect"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    of: tuple[str, ...] = argument(some_fields, "the fields")

    def initial(self) -> Passed:
        return Passed()

    def forget(self, state: Passed, groups: Ids) -> None:
        state.forget(groups, len(self.of))

    def step(self, state: Passed, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        runs = Runs.of(inputs[0], keys)
        before = Passed() if runs.fresh else state
        before.grow(runs.count * len(self.of))
        values = _values(runs.rows, self.of)
        texts = self._number_texts(runs, values, before)
        kept, missing = _changes(runs.run, values, before.kind, before.bits)
        if texts is not None:
            at, names = texts
            is_text = before.kind[at] == STRING
            before.text[at] = None
            before.text[at[is_text]] = names[before.bits[at[is_text]]]
        self.forget(state, forgotten(inputs[0]))
        errors = {
            f'field "{name}" is missing': count for name, count in zip(self.of, missing.tolist(), strict=True) if count
        }
        return Step(state=state, out=with_rows_of(inputs[0], kept, lambda rows: rows), errors=errors)

    def _number_texts(self, runs: Runs, values: Values, before: Passed) -> tuple[np.ndarray, np.ndarray] | None:
        """Numbers for the texts of the rows and of what their groups have; None where there are none.

        Gives the places of these groups, and the texts by number.
        """
        at = places_of(np.unique(runs.run), len(self.of))
        held = at[before.kind[at] == STRING]
        columns = [(n, runs.rows.fields.get((name, "string"))) for n, name in enumerate(self.of)]
        rows = [(n, np.flatnonzero(column.mask()), column.values) for n, column in columns if column is not None]
        if not len(held) and not rows:
            return None
        names, numbers = distinct(np.concatenate([before.text[held], *(texts[where] for _, where, texts in rows)]))
        before.bits[held] = numbers[: len(held)]
        begin = len(held)
        for n, where, _ in rows:
            values.bits[n, where] = numbers[begin : begin + len(where)]
            begin += len(where)
        return at, np.array([*names, None], dtype=object)


def places_of(groups: Ids, fields: int) -> np.ndarray:
    """Those of all fields of these groups."""
    return (groups[:, None].astype(np.int64) * fields + np.arange(fields)).reshape(-1)


def _values(rows: Frame, names: Sequence[str]) -> Values:
    """All but the texts' bits."""
    shape = (len(names), len(rows))
    values = Values(np.zeros(shape, dtype=bool), np.zeros(shape, dtype=np.int8), np.zeros(shape, dtype=np.int64))
    for n, name in enumerate(names):
        for type_, column in rows.columns_of(name).items():
            mask = column.mask()
            values.present[n, mask] = True
            values.kind[n, mask] = KINDS[type_]
            if type_ == "float":
                floats = column.values + 0.0  # -0 is 0
                values.bits[n, mask] = floats.view(np.int64)[mask]
                values.kind[n, mask & np.isnan(floats)] = NAN
            elif type_ not in {"string", "null"}:
                values.bits[n, mask] = column.values[mask]
    return values


@njit(cache=True, nogil=True)
def _changes(run, values, last_kind, last_bits):
    """Which rows differ, and how often each field was looked for in vain."""
    fields, rows = values.kind.shape
    kept = np.zeros(rows, dtype=np.bool_)
    missing = np.zeros(fields, dtype=np.int64)
    for i in range(rows):
        at = run[i] * fields
        for n in range(fields):
            kind = values.kind[n, i]
            if not values.present[n, i]:
                missing[n] += 1
            elif kind != last_kind[at + n] or kind == NAN or values.bits[n, i] != last_bits[at + n]:
                kept[i] = True
                break
        if kept[i]:
            for n in range(fields):
                last_kind[at + n], last_bits[at + n] = values.kind[n, i], values.bits[n, i]
    return kept, missing
