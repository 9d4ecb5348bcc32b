"""Fields and tags computed from a point's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from pipeline_processing.expressions import Expression
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import (
    Arguments,
    argument,
    expressions,
    option,
    strings,
)
from pipeline_processing.operators.runs import forgotten, rows_of, with_rows_of
from pipeline_processing.operators.tagging import tagged
from pipeline_processing.points.frame import Column, Frame, Type
from pipeline_processing.points.keys import Ids, Keys

Results = dict[str, Mapping[Type, Column]]


def keep(given: Arguments) -> tuple[str, ...] | None:
    """The fields to keep; None, without an argument, keeps all."""
    return strings(given) if given else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Eval:
    """Compute fields, each lambda's under its name; a later lambda sees what earlier ones computed.

    State: the lambdas', one each a group.
    Out:   the points with what was computed alone, or, with `keep`, with fields they had. A point for which a lambda is an
           error is dropped and counted.
    From:  Kapacitor's `eval`.
    """

    KIND: ClassVar[str] = "eval"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    lambdas: tuple[Expression, ...] = argument(expressions, "what to compute, one lambda or several")
    as_: tuple[str, ...] = option("as", strings, (), "the names of what the lambdas compute, one each")
    tags: tuple[str, ...] = option("tags", strings, (), "those of the names that become tags, not fields")
    keep: tuple[str, ...] | None = option("keep", keep, (), "keep the fields too, or those named; none if unset")

    def __post_init__(self) -> None:
        if len(self.as_) != len(self.lambdas):
            raise ValueError(
                f"must have one name in as() for each lambda, got {len(self.as_)} names for {len(self.lambdas)}"
            )
        unknown = [each for each in self.tags if each not in self.as_]
        if unknown:
            raise ValueError(f'tags() names "{unknown[0]}", which is not in as()')

    def initial(self) -> list[Any]:
        return [each.initial() for each in self.lambdas]

    def forget(self, state: list[Any], groups: Ids) -> None:
        for expression, known in zip(self.lambdas, state, strict=True):
            expression.forget(known, groups)

    def step(self, state: list[Any], inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        run = _Evaluation(rows_of(inputs[0]))
        for name, expression, known in zip(self.as_, self.lambdas, state, strict=True):
            run.add(name, expression, known, tick.now_ns, keys)
        for name in self.tags:
            run.only_strings(name)
        for name in self.keep or ():
            run.only_with(name)
        self.forget(state, forgotten(inputs[0]))
        out = with_rows_of(inputs[0], run.valid, lambda rows: self._made(rows, run, keys))
        return Step(state=state, out=out, errors=run.errors)

    def _made(self, rows: Frame, run: _Evaluation, keys: Keys) -> Frame:
        computed = {
            (name, type_): column.take(run.valid)
            for name, columns in run.results.items()
            for type_, column in columns.items()
        }
        had = {key: column for key, column in rows.fields.items() if key[0] not in run.results}
        match self.keep:
            case ():
                fields = {key: column for key, column in computed.items() if key[0] not in self.tags}
            case None:
                fields = had | computed
            case names:
                fields = {key: column for key, column in (had | computed).items() if key[0] in names}
        made = rows.with_fields(fields)
        for name in self.tags:
            made = tagged(made, name, computed[name, "string"].values, keys)
        return made


@dataclass(slots=True)
class _Evaluation:
    """The results so far, by row; rows with an error are not valid and computed no further."""

    rows: Frame
    valid: np.ndarray = field(init=False)
    results: Results = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.valid = np.ones(len(self.rows), dtype=bool)

    def add(self, name: str, expression: Expression, known: Any, now_ns: int, keys: Keys) -> None:
        seen = self.rows
        for earlier, columns in self.results.items():
            seen = seen.replaced(earlier, columns)
        everything = bool(self.valid.all())
        evaluated = expression.evaluate(seen if everything else seen.take(self.valid), known, now_ns, keys)
        self.errors |= evaluated.errors
        columns = dict(evaluated.columns)
        if not everything:
            columns = {type_: _spread(column, self.valid) for type_, column in columns.items()}
        self.results[name] = columns
        self.valid = self.valid & _present(columns, len(self.rows))

    def only_strings(self, name: str) -> None:
        strings_ = {type_: each for type_, each in self.results[name].items() if type_ == "string"}
        self._only(_present(strings_, len(self.rows)), "the result of a tag's expression is no string")
        self.results[name] = strings_ or {"string": Column(np.full(len(self.rows), "", dtype=object))}

    def only_with(self, name: str) -> None:
        if name not in self.results:
            self._only(self.rows.has(name), f'cannot keep field "{name}", field does not exist')

    def _only(self, mask: np.ndarray, reason: str) -> None:
        lost = int((self.valid & ~mask).sum())
        if lost:
            self.errors[reason] = self.errors.get(reason, 0) + lost
            self.valid = self.valid & mask


def _spread(column: Column, onto: np.ndarray) -> Column:
    """A column of the rows where `onto` holds, as one of all rows."""
    values = np.zeros(len(onto), dtype=column.values.dtype)
    present = np.zeros(len(onto), dtype=bool)
    values[onto], present[onto] = column.values, column.mask()
    return Column(values, present)


def _present(columns: Mapping[Type, Column], rows: int) -> np.ndarray:
    found = np.zeros(rows, dtype=bool)
    for column in columns.values():
        found |= column.mask()
    return found
