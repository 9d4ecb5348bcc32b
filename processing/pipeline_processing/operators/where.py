"""Points for which something is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline_processing.expressions import Expression
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import argument, expression
from pipeline_processing.operators.predicates import judged
from pipeline_processing.operators.runs import forgotten, rows_of, with_rows_of
from pipeline_processing.points.keys import Ids, Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Pass the points for which the lambda is true; one for which it is an error does not pass, and is counted.

    State: the lambda's, one a group.
    From:  Kapacitor's `where`.
    """

    KIND: ClassVar[str] = "where"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    condition: Expression = argument(expression, "what must be true")

    def initial(self) -> Any:
        return self.condition.initial()

    def forget(self, state: Any, groups: Ids) -> None:
        self.condition.forget(state, groups)

    def step(self, state: Any, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        found = judged(self.condition, rows_of(inputs[0]), state, tick, keys)
        self.forget(state, forgotten(inputs[0]))
        return Step(state=state, out=with_rows_of(inputs[0], found.truth, lambda kept: kept), errors=found.errors)
