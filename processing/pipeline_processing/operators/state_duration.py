"""For how long something has been true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numba import njit

from pipeline_processing.expressions import Expression
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import argument, duration, expression, option, string
from pipeline_processing.operators.predicates import judged
from pipeline_processing.operators.runs import Runs, forgotten, with_rows_of
from pipeline_processing.points.frame import Column
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import grown, reset

SECOND_NS = 1_000_000_000
OUTSIDE = np.iinfo(np.int64).min
"""The beginning of a state that a group is not in."""


@dataclass(slots=True)
class Since:
    """Of each group, the time of the first point in the state that it is in."""

    condition: Any
    start_ns: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class StateDuration:
    """How long before a point of a group the lambda became true, and stayed so; -1 where it is false.

    In:    points in arrival order, or batches, each of which begins anew.
    State: one time a group, and the lambda's state.
    Out:   the points, with the time in units (float64) as a field: 0 where it has just become true. Points for which the
           lambda is an error are dropped and counted.
    From:  Kapacitor's `stateDuration`.
    """

    KIND: ClassVar[str] = "stateDuration"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    condition: Expression = argument(expression, "what is true in the state")
    as_: str = option("as", string, "state_duration", "the name of the time")
    unit_ns: int = option("unit", duration, SECOND_NS, "what it is counted in; 1s if unset")

    def initial(self) -> Since:
        return Since(condition=self.condition.initial())

    def step(self, state: Since, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        runs = Runs.of(inputs[0], keys)
        found = judged(self.condition, runs.rows, state.condition, tick, keys)
        before = np.full(runs.count, OUTSIDE) if runs.fresh else grown(state.start_ns, runs.count, fill=OUTSIDE)
        if not runs.fresh:
            state.start_ns = before
        spent_ns = _spent(runs.run, runs.rows.time_ns, found.valid, found.truth, before)[found.valid]
        truth = found.truth[found.valid]
        with np.errstate(divide="ignore", invalid="ignore"):
            spent = np.where(truth, spent_ns.astype(np.float64) / np.float64(self.unit_ns), -1.0)
        self.forget(state, forgotten(inputs[0]))
        out = with_rows_of(inputs[0], found.valid, lambda rows: rows.replaced(self.as_, {"float": Column(spent)}))
        return Step(state=state, out=out, errors=found.errors)

    def forget(self, state: Since, groups: Ids) -> None:
        reset(state.start_ns, groups, OUTSIDE)
        self.condition.forget(state.condition, groups)


@njit(cache=True, nogil=True)
def _spent(run, time_ns, valid, truth, start_ns):
    out = np.zeros(len(run), dtype=np.int64)
    for i in range(len(run)):
        if not valid[i]:
            continue
        if not truth[i]:
            start_ns[run[i]] = OUTSIDE
            continue
        if start_ns[run[i]] == OUTSIDE:
            start_ns[run[i]] = time_ns[i]
        out[i] = time_ns[i] - start_ns[run[i]]
    return out
