"""What this server measures of itself, under the names that Kapacitor gives it.

Out:   `ingress` by database, retention policy and measurement; `edges`, `nodes` and `topics` of the tasks that run; of the whole
       `kapacitor`, and `runtime`, which has of Go's figures those that a process of Python has. Beside Kapacitor's, `handlers`:
       what became of the alerts of all servers that share their delivery.
Times are in ns. An edge holds nothing here, so what it has collected it has emitted.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import psutil
from pipeline_output.handlers.outcomes import Figures as Deliveries

from pipeline_processing.tasks.errors import Missing
from pipeline_processing.tasks.registry import TaskRegistry

DIGITS = "0123456789"
OF_EDGES = {"collected", "emitted"}
"""Of a node's counters those that are told of the edges around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that is measured."""

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this server is."""

    host: str
    server_id: str
    cluster_id: str

    @property
    def tags(self) -> dict[str, str]:
        return {"cluster_id": self.cluster_id, "server_id": self.server_id, "host": self.host}


class OwnFigures:
    def __init__(
        self,
        registry: TaskRegistry,
        identity: Identity,
        ingress: Callable[[], Mapping[Any, int]],
        handlers: Callable[[], Deliveries],
    ) -> None:
        """`ingress` counts points by database, retention policy and measurement; `handlers` what became of alerts."""
        self._registry, self.identity, self._ingress, self._handlers = registry, identity, ingress, handlers

    def of_parts(self) -> Iterator[Figure]:
        """Of all that there is several of; each with who says so among its tags."""
        for each in (*self._received(), *self._of_tasks(), *self._of_handlers()):
            yield replace(each, tags={**each.tags, **self.identity.tags})

    def of_the_whole(self) -> Iterator[Figure]:
        yield Figure(name="kapacitor", tags=self.identity.tags, values=self.counts())
        yield Figure(name="runtime", tags=self.identity.tags, values=_runtime())

    def counts(self) -> dict[str, int]:
        definitions = self._registry.definitions()
        return {
            "num_enabled_tasks": sum(each.status == "enabled" for each in definitions),
            "num_subscriptions": 0,
            "num_tasks": len(definitions),
        }

    def _received(self) -> Iterator[Figure]:
        counts = self._ingress()
        for (database, retention_policy, measurement), count in counts.items():
            tags = {"database": database, "retention_policy": retention_policy, "measurement": measurement}
            yield Figure(name="ingress", tags={"task_master": "main", **tags}, values={"points_received": count})
        door = ("write_points", "stream", "stream")
        yield _edge("task_master:main", door, sum(counts.values()))

    def _of_handlers(self) -> Iterator[Figure]:
        for kind, values in self._handlers().by_handler().items():
            yield Figure(name="handlers", tags={"handler": kind}, values=values)

    def _of_tasks(self) -> Iterator[Figure]:
        heard: Counter[str] = Counter()
        for definition in self._registry.definitions():
            yield from self._of_task(definition.id, definition.type, heard)
        for topic, count in heard.items():
            yield Figure(name="topics", tags={"id": topic}, values={"collected": count})

    def _of_task(self, task_id: str, task_type: str, heard: Counter[str]) -> Iterable[Figure]:
        """None of one that does not run; it may stop while it is asked."""
        master = self._registry.master
        try:
            if not master.is_executing(task_id):
                return []
            nodes, edges = master.stats(task_id)["node-stats"], master.edges(task_id)
            heard.update(master.topics(task_id))
        except Missing:
            return []
        return [
            *(_edge(task_id, each[:3], each[3]) for each in edges),
            *(_node({"task": task_id, "type": task_type}, name, counters) for name, counters in nodes.items()),
        ]


def _edge(task_id: str, edge: tuple[str, str, str], count: int) -> Figure:
    parent, child, kind = edge
    tags = {"task": task_id, "parent": parent, "child": child, "type": kind}
    return Figure(name="edges", tags=tags, values={"collected": count, "emitted": count})


def _node(tags: Mapping[str, str], name: str, counters: Mapping[str, Any]) -> Figure:
    values = {name: value for name, value in counters.items() if name not in OF_EDGES}
    return Figure(name="nodes", tags={**tags, "node": name, "kind": name.rstrip(DIGITS)}, values=values)


def _runtime() -> dict[str, int]:
    return {
        "num_gc": sum(each["collections"] for each in gc.get_stats()),
        "sys_bytes": psutil.Process().memory_info().rss,
    }
