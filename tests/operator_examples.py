"""An operator of each kind, set up so that random points move it; the laws of operators are read over these tables.

Who adds an operator adds it here; a test says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lambdas import above, every_other, now
from pipeline_processing.alerts.event import HandlerCall
from pipeline_processing.operators.alert import Alert
from pipeline_processing.operators.barrier import Barrier
from pipeline_processing.operators.change_detect import ChangeDetect
from pipeline_processing.operators.combine import Combine
from pipeline_processing.operators.cumulative_sum import CumulativeSum
from pipeline_processing.operators.default import Default
from pipeline_processing.operators.delete import Delete
from pipeline_processing.operators.derivative import Derivative
from pipeline_processing.operators.difference import Difference
from pipeline_processing.operators.elapsed import Elapsed
from pipeline_processing.operators.eval import Eval
from pipeline_processing.operators.flatten import Flatten
from pipeline_processing.operators.from_ import From
from pipeline_processing.operators.functions import FUNCTIONS
from pipeline_processing.operators.group_by import GroupBy
from pipeline_processing.operators.http_out import HttpOut
from pipeline_processing.operators.http_post import HttpPost
from pipeline_processing.operators.influxdb_out import InfluxDbOut
from pipeline_processing.operators.join import Join
from pipeline_processing.operators.log import Log
from pipeline_processing.operators.loopback import Loopback
from pipeline_processing.operators.moving_average import MovingAverage
from pipeline_processing.operators.operator import Edge, Operator
from pipeline_processing.operators.options import Duration, NodeName
from pipeline_processing.operators.sample import Sample
from pipeline_processing.operators.shift import Shift
from pipeline_processing.operators.state_count import StateCount
from pipeline_processing.operators.state_duration import StateDuration
from pipeline_processing.operators.stats import Stats
from pipeline_processing.operators.stream import Stream
from pipeline_processing.operators.union import Union
from pipeline_processing.operators.where import Where
from pipeline_processing.operators.window import Window
from pipeline_processing.tickscript.compiling import compiled

_OF: Mapping[str, object] = {
    "distinct": "s",
    "percentile": ("v", 50.0),
    "top": (2, "w", ("zone",)),
    "bottom": (2, "v", ()),
    "holtWinters": ("v", 2, 0, 2),
    "holtWintersWithFit": ("v", 2, 2, 3),
}
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
    Flatten(on=("zone",)),
    Flatten(on=("node", "zone"), tolerance_ns=4, drop_original_field_name=True),
    Combine(expressions=(above("w", 1.0), every_other()), as_=("x", "y")),
    Combine(expressions=(above("w", 0.0), every_other()), as_=("x", "y"), tolerance_ns=6),
    HttpOut(endpoint="o"),
    HttpPost(url="http://target/"),
    InfluxDbOut(tags=(("zone", "z0"),)),
    Loopback(measurement="again"),
    *(each(of=_OF.get(name, "v")) for name, each in FUNCTIONS.items()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    operator: Operator
    edge: Edge


def _named(operators: tuple[Operator, ...], edge: Edge) -> dict[str, Example]:
    taking = [each for each in operators if edge in each.TAKES]
    return {f"{each.KIND}-{at}-{edge}": Example(operator=each, edge=edge) for at, each in enumerate(taking)}


_ON_STREAMS: tuple[Operator, ...] = (
    Stream(),
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
"""Those that work per group and have one parent, whatever the clock says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Operators one after the other, of which the first has so many parents."""

    operators: tuple[Operator, ...]
    edge: Edge
    parents: int = 1


def _deadman() -> tuple[Operator, ...]:
    """As a script makes it, with an id a group, as groups of one id share its last level; its intervals fit random points."""
    nodes = compiled("stream|from()|deadman(1.0, 1s).id('{{ .Group }}')").graph.nodes
    stats, derivative, alert = (node.operator for node in nodes[2:])
    return replace(stats, interval_ns=5), replace(derivative, unit_ns=5), alert


_CALL = HandlerCall(kind="log", arguments=("/alerts",))
_WITH_TICKS: Mapping[str, tuple[Operator, ...]] = {
    "stats": (Stats(interval_ns=5),),
    "stats-align": (Stats(interval_ns=7, align=True),),
    "deadman": _deadman(),
    "barrier-idle": (Barrier(idle_ns=9),),
    "barrier-idle-delete": (Barrier(idle_ns=9, forgets=True),),
    "barrier-period": (Barrier(period_ns=9),),
    "barrier-period-delete": (Barrier(period_ns=9, forgets=True),),
    "from-idle": (From(group_by=("node",), idle_ns=9, lateness_ns=4),),
    "httpPost-codeField": (HttpPost(url="http://target/", code_field="code"),),
    "eval-now": (Eval(lambdas=(now(),), as_=("now",)),),
    "alert": (Alert(warn=above("v", 0.0), crit=above("v", 2.0), crit_reset=above("w", 1.0), handlers=(_CALL,)),),
    "alert-counting": (Alert(warn=above("v", 0.0), crit=every_other(), warn_reset=every_other()),),
    "alert-changes": (
        Alert(
            crit=above("v", 0.0), changes_only_ns=9, topic="t", category="c", inhibit=(("d", "node"),), level_tag="l"
        ),
    ),
    "alert-flapping": (Alert(crit=above("v", 0.0), flapping=(0.3, 0.6), history=5, all_rows=True),),
}
_OTHERS = (NodeName("n"),)
_OF_SEVERAL: Mapping[str, Operator] = {
    "union": Union(others=_OTHERS),
    "union-rename": Union(others=_OTHERS, rename="all"),
    "join": Join(others=_OTHERS, as_=("x", "y")),
    "join-fill": Join(others=_OTHERS, as_=("x", "y"), fill="null", tolerance_ns=4),
}
EDGES: tuple[Edge, ...] = ("stream", "batch")
CASES: Mapping[str, Case] = {
    **{name: Case(operators=(each.operator,), edge=each.edge) for name, each in EXAMPLES.items()},
    **{
        f"{name}-{edge}": Case(operators=operators, edge=edge)
        for name, operators in _WITH_TICKS.items()
        for edge in EDGES
        if edge in operators[0].TAKES
    },
    **{
        f"{name}-{edge}": Case(operators=(operator,), edge=edge, parents=2)
        for name, operator in _OF_SEVERAL.items()
        for edge in EDGES
    },
    **{f"groupBy-{edge}": Case(operators=(GroupBy(tags=("zone",)),), edge=edge) for edge in EDGES},
}
"""All of them."""
