"""A graph as DOT, plain or with its run's counters."""

from __future__ import annotations

from typing import Any, Literal

from pipeline_processing.graph.counting import go_duration, node_stats
from pipeline_processing.graph.graph import Graph
from pipeline_processing.graph.run import Run

View = Literal["attributes", "labels"]


def plain(name: str, graph: Graph) -> str:
    hidden = {each.name for each in graph.nodes if not getattr(each.operator, "IS_DRAWN", True)}
    lines = [f"{parent} -> {child};" for parent, child in graph.connections() if parent not in hidden]
    return "\n".join([f"digraph {name} {{", *lines, "}"])


def counted(name: str, run: Run, view: View, *, throughput: float) -> str:
    """With what each node has counted; `labels` writes the same as text on nodes and edges."""
    draws = {"attributes": AsAttributes, "labels": AsLabels}[view]
    told = f"{throughput:.2f} points/s"
    head = (
        f'graph [throughput="{told}"];'
        if view == "attributes"
        else f'graph [label="Throughput: {told}" forcelabels=true pad="0.8,0.5"];'
    )
    parts = [f"digraph {name} {{", head, ""]
    for node in run.graph.nodes:
        stats = node_stats(run.counters[node.name])
        parts.append(draws.node(node.name, stats))
        children = [child for parent, child in run.graph.connections() if parent == node.name]
        parts.extend(draws.edge(node.name, child, stats["emitted"]) for child in children)
        parts.append("")
    return "\n".join([*parts[:-1], "}"])


class AsAttributes:
    @staticmethod
    def node(name: str, stats: dict[str, Any]) -> str:
        shown = {key: value for key, value in stats.items() if key not in {"collected", "emitted"}}
        shown["avg_exec_time_ns"] = go_duration(shown["avg_exec_time_ns"])
        return f"{name} [" + "".join(f'{key}="{value}" ' for key, value in sorted(shown.items())) + "];"

    @staticmethod
    def edge(parent: str, child: str, processed: int) -> str:
        return f'{parent} -> {child} [processed="{processed}"];'


class AsLabels:
    @staticmethod
    def node(name: str, stats: dict[str, Any]) -> str:
        shown = {key: value for key, value in stats.items() if key not in {"collected", "emitted"}}
        shown["avg_exec_time_ns"] = go_duration(shown["avg_exec_time_ns"])
        label = "\\n".join(f"{key}: {value}" for key, value in sorted(shown.items()))
        return f'{name} [xlabel="{label}"];'

    @staticmethod
    def edge(parent: str, child: str, processed: int) -> str:
        return f'{parent} -> {child} [label="processed: {processed}"];'
