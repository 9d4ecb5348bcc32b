"""A node's counters as Kapacitor's clients read them."""

from __future__ import annotations

from typing import Any

from pipeline_processing.graph.run import Counters

UNITS_NS = (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000))


def node_stats(counters: Counters) -> dict[str, Any]:
    """Times in ns."""
    return {
        **counters.own,
        "avg_exec_time_ns": counters.busy_ns // counters.steps if counters.steps else 0,
        "collected": counters.collected,
        "emitted": counters.emitted,
        "errors": counters.errors,
        "working_cardinality": counters.groups,
    }


def go_duration(time_ns: float) -> str:
    """Below a minute as Go writes it: `0s`, `438ns`, `1.8µs`."""
    for unit, size_ns in UNITS_NS:
        if time_ns >= size_ns:
            return f"{f'{time_ns / size_ns:.9f}'.rstrip('0').rstrip('.')}{unit}"
    return f"{int(time_ns)}ns" if time_ns else "0s"
