"""For how many points something has been true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numba import njit

from pipeline_processing.expressions import Expression
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import argument, expression, option, string
from pipeline_processing.operators.predicates import judged
from pipeline_processing.operators.runs import Runs, forgotten, with_rows_of
from pipeline_processing.points.frame import Column
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import grown, reset


@dataclass(slots=True)
class Counting:
    """Of each group, how many points in a row were in the state."""

    condition: Any
    count: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCount:
    """How many points of a group in a row the lambda has been true for, the point itself included; -1 where it is false.

    In:    points in arrival order, or batches, each of which begins anew.
    State: one number a group, and the lambda's.
    Out:   the points, with the number (int64) as a field. Those for which the lambda is an error are dropped and counted.
    From:  Kapacitor's `stateCount`.
    """

    KIND: ClassVar[str] = "stateCount"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    condition: Expression = argument(expression, "what is true in the state")
    as_: str = option("as", string, "state_count", "the name of the number")

    def initial(self) -> Counting:
        return Counting(condition=self.condition.initial())

    def step(self, state: Counting, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        runs = Runs.of(inputs[0], keys)
        found = judged(self.condition, runs.rows, state.condition, tick, keys)
        before = np.zeros(runs.count, dtype=np.int64) if runs.fresh else grown(state.count, runs.count)
        if not runs.fresh:
            state.count = before
        counts = _counts(runs.run, found.valid, found.truth, before)[found.valid]
        self.forget(state, forgotten(inputs[0]))
        out = with_rows_of(inputs[0], found.valid, lambda rows: rows.replaced(self.as_, {"int": Column(counts)}))
        return Step(state=state, out=out, errors=found.errors)

    def forget(self, state: Counting, groups: Ids) -> None:
        reset(state.count, groups)
        self.condition.forget(state.condition, groups)


@njit(cache=True, nogil=True)
def _counts(run, valid, truth, count):
    out = np.empty(len(run), dtype=np.int64)
    for i in range(len(run)):
        if valid[i]:
            count[run[i]] = count[run[i]] + 1 if truth[i] else 0
            out[i] = count[run[i]] if truth[i] else -1
    return out
