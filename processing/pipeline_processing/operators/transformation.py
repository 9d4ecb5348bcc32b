"""What InfluxQL's functions share that give a point for a point: over a group's stream, or within a batch.

The first value of a group, or of a batch, that the function takes settles the type. Points before it are dropped and
counted. A point after it without the field, or with another type, is counted and changes nothing; but what the function
last gave comes out once more, as Kapacitor does it (not where `AGAIN` is false: `difference` gives a result once).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numba import njit

from pipeline_processing.operators.group_series import GroupSeries
from pipeline_processing.operators.influxql import scattered
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import argument, flag, option, string
from pipeline_processing.operators.runs import Runs, forgotten
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Column, Frame, Key, Type
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import grown, reset

CODES: dict[Type, int] = {"float": 1, "int": 2, "bool": 3, "string": 4}
UNSETTLED, MISSING, OTHER = 0, 0, 5
DROP, TAKE, REPEAT = 0, 1, 2
"""What becomes of a row: nothing, it is taken, or what was last given comes once more."""


class Rows(NamedTuple):
    """`raw` are the values' 64 bits, `integer` says how to read them; `fate` is one of DROP, TAKE and REPEAT."""

    run: np.ndarray
    time_ns: np.ndarray
    fate: np.ndarray
    raw: np.ndarray
    integer: np.ndarray


class Given(NamedTuple):
    """What comes out at rows of the input, which are marked."""

    mark: np.ndarray
    time_ns: np.ndarray
    raw: np.ndarray


@dataclass(slots=True)
class Running:
    """`kind` is each group's type, `series` that of its results, with the measurement of its first point."""

    values: Any
    kind: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int8))
    series: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    known: GroupSeries = field(default_factory=GroupSeries)

    def series_of(self, points: Frame, keys: Keys) -> Ids:
        self.series = grown(self.series, len(keys.groups), -1)
        new = np.flatnonzero(self.series[points.group] < 0)
        if len(new):
            groups, first = np.unique(points.group[new], return_index=True)
            self.series[groups] = self.known.of(groups, points.series[new[first]], keys)
        return self.series[points.group]

    def held_series(self) -> Ids:
        return self.series

    def forget(self, groups: Ids) -> None:
        reset(self.kind, groups, UNSETTLED)
        reset(self.series, groups, -1)
        self.values.forget(groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformation:
    """A point for a point.

    In:    points in arrival order, or batches, each of which begins anew.
    State: what `values` says, a group.
    Out:   points with the result alone, the tags of their group, and the time of the value.
    From:  Kapacitor's InfluxQL functions (1.5).
    """

    KIND: ClassVar[str]
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None
    TYPES: ClassVar[Sequence[Type]] = ("float", "int")
    """Of values that it takes."""
    RESULT: ClassVar[Type | None] = None
    """The type of results; None is that of the values."""
    AGAIN: ClassVar[bool] = True

    of: Any = argument(string, "the field")
    as_: str = option("as", string, "", "the name of the result; the function's own if unset")
    point_times: bool = option("usePointTimes", flag, True, "always so: results have the times of their points")

    @property
    def field(self) -> str:
        return self.of

    def initial(self) -> Running:
        return Running(values=self.values(None, 0))

    def values(self, before: Any, runs: int) -> Any:
        """A tuple of arrays by run, as long as there are runs; those of before, if there are any. It can `forget` runs."""
        raise NotImplementedError

    def given(self, rows: Rows, values: Any) -> Given:
        raise NotImplementedError

    def forget(self, state: Running, groups: Ids) -> None:
        state.forget(groups)

    def step(self, state: Running, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data, runs = inputs[0], Runs.of(inputs[0], keys)
        kind = grown(np.empty(0, dtype=np.int8) if runs.fresh else state.kind, runs.count)
        values = self.values(None if runs.fresh else state.values, runs.count)
        if not runs.fresh:
            state.kind, state.values = kind, values
        code, raw = _read(runs.rows, self.field)
        fate = _fates(runs.run, code, self._taken(), kind)
        integer = kind[runs.run] == CODES["int"]
        given = self.given(Rows(runs.run, runs.rows.time_ns, fate, raw, integer), values)
        at = np.flatnonzero(given.mark & ((fate != REPEAT) | self.AGAIN))
        out = self._out(data, state, given, (at, self._columns(given.raw[at], integer[at])), keys)
        state.forget(forgotten(data))
        return Step(state=state, out=out, errors=self._errors(code, fate))

    def _taken(self) -> np.ndarray:
        taken = np.zeros(OTHER + 1, dtype=bool)
        taken[[CODES[type_] for type_ in self.TYPES]] = True
        return taken

    def _columns(self, raw: np.ndarray, integer: np.ndarray) -> dict[Key, Column]:
        if self.RESULT is not None:
            integer = np.full(len(raw), self.RESULT == "int")
        whole, real = np.flatnonzero(integer), np.flatnonzero(~integer)
        parts = [("int", whole, raw[whole]), ("float", real, raw[real].view(np.float64))]
        return scattered(parts, len(raw), self.as_ or self.KIND)

    def _out(
        self, data: Data, state: Running, given: Given, made: tuple[np.ndarray, dict[Key, Column]], keys: Keys
    ) -> Data:
        at, fields = made
        if not isinstance(data, Batches):
            series = state.series_of(data, keys)
            return _points(data, series, given, at, fields)
        batch = data.batch_of_row()
        rows = _points(data.rows, data.series[batch], given, at, fields)
        return replace(data, start=np.searchsorted(at, data.start), rows=rows)

    def _errors(self, code: np.ndarray, fate: np.ndarray) -> dict[str, int]:
        missing = int((code == MISSING).sum())
        wrong = int((fate != TAKE).sum()) - missing
        errors = {f'field "{self.field}" is missing': missing, f'field "{self.field}" has another type': wrong}
        return {reason: count for reason, count in errors.items() if count}


def _points(rows: Frame, series: Ids, given: Given, at: np.ndarray, fields: dict[Key, Column]) -> Frame:
    return Frame(
        time_ns=given.time_ns[at],
        series=series[at],
        group=rows.group[at],
        cause=rows.cause[at],
        fields=fields,
    )


def _read(rows: Frame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Each row's type, and its value's bits where that is a number."""
    code, raw = np.full(len(rows), MISSING, dtype=np.int8), np.zeros(len(rows), dtype=np.int64)
    for type_, column in rows.columns_of(name).items():
        mask = column.mask()
        code[mask] = CODES.get(type_, OTHER)
        if type_ in {"float", "int"}:
            raw[mask] = column.values.view(np.int64)[mask]
    return code, raw


@njit(cache=True, nogil=True)
def _fates(run, code, taken, kind):
    fate = np.empty(len(run), dtype=np.int8)
    for i in range(len(run)):
        if kind[run[i]] == UNSETTLED:
            if taken[code[i]]:
                kind[run[i]] = code[i]
            fate[i] = TAKE if taken[code[i]] else DROP
        else:
            fate[i] = TAKE if code[i] == kind[run[i]] else REPEAT
    return fate


def nothing_given(rows: int) -> Given:
    return Given(np.zeros(rows, dtype=bool), np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.int64))


class Newest(NamedTuple):
    """The newest value and time of each run, and how many there were."""

    raw: np.ndarray
    time_ns: np.ndarray
    count: np.ndarray

    @classmethod
    def grown(cls, before: Newest | None, runs: int) -> Newest:
        arrays = before or (np.empty(0, dtype=np.int64),) * 3
        return cls(*(grown(each, runs) for each in arrays))

    def forget(self, runs: Ids) -> None:
        for each in self:
            reset(each, runs)
