"""`/debug/vars`: figures of the server, its tasks and their nodes, under the names that Kapacitor gives them.

Out:   `kapacitor` holds one object for each thing that is measured, `{"name", "tags", "values"}`, by a UUID that stays the
       same for the same name and tags.
`memstats` has what a process has that is not Go's: `Sys`, its resident memory in bytes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil

from pipeline_processing.graph.counting import go_duration
from pipeline_processing.tasks.api.messages import VERSION, Request, Response, answered
from pipeline_processing.tasks.errors import Missing
from pipeline_processing.tasks.registry import TaskRegistry

DIGITS = "0123456789"
OF_EDGES = {"collected", "emitted"}
"""Of a node's counters those that Kapacitor tells of the edges around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that is measured: `ingress` by database, retention policy and measurement, `edges`, `topics`, ..."""

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this server is."""

    host: str
    server_id: str
    cluster_id: str


class Statistics:
    def __init__(self, registry: TaskRegistry, identity: Identity, figures: Callable[[], Iterable[Figure]]) -> None:
        """`figures` are those that the engine and the door for points have beside what tasks tell."""
        self._registry, self._identity, self._figures = registry, identity, figures

    def show(self, _request: Request) -> Response:
        definitions = self._registry.definitions()
        who = {"cluster_id": self._identity.cluster_id, "server_id": self._identity.server_id}
        tags = who | {"host": self._identity.host}
        told = {
            **tags,
            "cmdline": ["pipeline", "tasks"],
            "kapacitor": dict(self._each(tags)),
            "memstats": {"Sys": psutil.Process().memory_info().rss},
            "num_enabled_tasks": sum(each.status == "enabled" for each in definitions),
            "num_subscriptions": 0,
            "num_tasks": len(definitions),
            "platform": "OSS",
            "product": "kapacitor",
            "version": VERSION,
        }
        return answered(dict(sorted(told.items())))

    def _each(self, tags: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
        for each in (*self._figures(), *self._nodes()):
            whole = dict(each.tags) | tags
            name = uuid.uuid5(uuid.NAMESPACE_OID, f"{each.name} {sorted(whole.items())}")
            yield str(name), {"name": each.name, "tags": whole, "values": each.values}

    def _nodes(self) -> Iterator[Figure]:
        for definition in self._registry.definitions():
            for node, counters in self._counters(definition.id).items():
                tags = {"task": definition.id, "node": node, "kind": node.rstrip(DIGITS), "type": definition.type}
                values = {name: value for name, value in counters.items() if name not in OF_EDGES}
                if "avg_exec_time_ns" in values:
                    values["avg_exec_time_ns"] = go_duration(values["avg_exec_time_ns"])
                yield Figure(name="nodes", tags=tags, values=values)

    def _counters(self, task_id: str) -> Mapping[str, Any]:
        """Of a task's nodes; it may stop while it is asked."""
        try:
            return (
                self._registry.master.stats(task_id)["node-stats"]
                if self._registry.master.is_executing(task_id)
                else {}
            )
        except Missing:
            return {}
