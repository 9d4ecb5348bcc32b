"""A node's counters as Kapacitor's clients read them."""

from __future__ import annotations

from typing import Any

from pipeline_processing.graph.run import Counters

ALERTS = ("alerts_inhibited", "alerts_triggered", "crits_triggered", "infos_triggered", "oks_triggered", "warns_triggered")


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
