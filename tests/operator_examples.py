"""An operator of each kind, set up so that random points move it; the laws of operators are read over this table.

Who adds an operator adds it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lambdas import above, every_other
from pipeline_processing.operators.change_detect import ChangeDetect
from pipeline_processing.operators.cumulative_sum import CumulativeSum
from pipeline_processing.operators.default import Default
from pipeline_processing.operators.delete import Delete
from pipeline_processing.operators.derivative import Derivative
from pipeline_processing.operators.difference import Difference
from pipeline_processing.operators.elapsed import Elapsed
from pipeline_processing.operators.eval import Eval
from pipeline_processing.operators.from_ import From
from pipeline_processing.operators.functions import FUNCTIONS
from pipeline_processing.operators.log import Log
from pipeline_processing.operators.moving_average import MovingAverage
from pipeline_processing.operators.operator import Edge, Operator
from pipeline_processing.operators.options import Duration
from pipeline_processing.operators.sample import Sample
from pipeline_processing.operators.shift import Shift
from pipeline_processing.operators.state_count import StateCount
from pipeline_processing.operators.state_duration import StateDuration
from pipeline_processing.operators.where import Where
from pipeline_processing.operators.window import Window

_SETTLED: tuple[Operator, ...] = (
    ChangeDetect(of=("s",)),
    ChangeDetect(of=("v", "s", "w")),
    CumulativeSum(of="v"),
    Default(fields=(("v", 1.5), ("s", "none")), tags=(("zone", "z0"),)),
    Delete(fields=("w",), tags=("zone",)),
    Derivative(of="v"),
    Derivative(of="v", non_negative=True, as_="rate", unit_ns=5),
    Difference(of="v"),
    Elapsed(of=("v", 3)),
    Eval(lambdas=(above("v", 0.0),), as_=("high",), keep=None),
    Log(prefix="p"),
    MovingAverage(of=("v", 3)),
    Sample(rate=3),
    Sample(rate=Duration(2)),
    Shift(by_ns=-7),
    StateCount(condition=above("v", 0.0)),
    StateCount(condition=every_other(), as_="n"),
    StateDuration(condition=above("v", 0.0)),
    Where(condition=every_other()),
    FUNCTIONS["count"](of="v"),
    FUNCTIONS["mean"](of="v"),
    FUNCTIONS["last"](of="v"),
    FUNCTIONS["distinct"](of="s"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    operator: Operator
    edge: Edge


def _named(operators: tuple[Operator, ...], edge: Edge) -> dict[str, Example]:
    taking = [each for each in operators if edge in each.TAKES]
    return {f"{each.KIND}-{at}-{edge}": Example(operator=each, edge=edge) for at, each in enumerate(taking)}


_ON_STREAMS: tuple[Operator, ...] = (
    From(group_by=("node",), lateness_ns=0),
    From(group_by=("node",), lateness_ns=4, where=(above("v", 0.0),)),
    From(group_by=("node",), lateness_ns=30),
    Window(period_ns=6, every_ns=4),
    Window(period_ns=6, every_ns=4, align=True, fill_period=True),
    Window(period_ns=3),
    Window(period_count=4, every_count=3),
)
EXAMPLES: Mapping[str, Example] = {
    **_named((*_SETTLED, *_ON_STREAMS), "stream"),
    **_named(_SETTLED, "batch"),
}
"""Those that work per group and have one parent."""
