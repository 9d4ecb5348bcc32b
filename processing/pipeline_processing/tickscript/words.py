"""The names that a script may use, from the table of operators."""

from __future__ import annotations

from functools import cache

from pipeline_processing.alerts.handler_calls import HANDLERS
from pipeline_processing.operators import OPERATORS
from pipeline_processing.operators.alert import Alert
from pipeline_processing.operators.options import options_of
from pipeline_processing.tickscript.building import QUIET
from pipeline_processing.tickscript.lambdas import FUNCTIONS
from pipeline_processing.tickscript.vocabulary import Kind, Vocabulary

SOURCES = {"stream": "from", "batch": "query"}
"""Each with what may follow it, `stats` and `deadman` aside."""
WATCHERS = frozenset({"stats", "deadman"})
"""What may follow every node."""
ENDS = frozenset({"influxDBOut", "kapacitorLoopback"})
"""After these only watchers come."""
NODES = {
    "httpOut": ("http_out",),
    "httpPost": ("http_post",),
    "influxDBOut": ("influxdb_out",),
    "kapacitorLoopback": ("kapacitor_loopback",),
    "stateDuration": ("state_duration",),
    "stateCount": ("state_count",),
    "deadman": ("stats", "derivative", "alert"),
}
"""Where one call does not make one node of its own name."""


@cache
def vocabulary() -> Vocabulary:
    kinds = {name: Kind(followers=frozenset({follower}) | WATCHERS) for name, follower in SOURCES.items()}
    inner = frozenset(OPERATORS) - SOURCES.keys() - {"query"} | {"alert", "deadman"}
    for name, operator in OPERATORS.items():
        if name not in SOURCES:
            properties = frozenset(options_of(operator)) - {""} | {QUIET}
            followers = WATCHERS if name in ENDS else inner
            kinds[name] = Kind(properties=properties, followers=followers, nodes=NODES.get(name, ()))
    of_alerts = (
        frozenset({QUIET, *options_of(Alert)})
        | HANDLERS.keys()
        | {own for each in HANDLERS.values() for own in each.properties}
    )
    for name in ("alert", "deadman"):
        kinds[name] = Kind(properties=of_alerts, followers=inner, nodes=NODES.get(name, ()))
    return Vocabulary(kinds=kinds, sources=tuple(SOURCES), functions=FUNCTIONS)
