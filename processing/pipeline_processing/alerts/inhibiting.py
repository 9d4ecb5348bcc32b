"""Alerts that hold back others: which of a step's events are told.

In:    what left a task's graph in one step, and what the alerts of other tasks hold back.
State: what the task's own alerts hold back, by node and group; and what those of others did when it was last said.
Out:   the same without the events that are held back, and without the inhibitions.
Within a task the order is that of the points, then of the nodes, so where steps end means nothing.
From:  Kapacitor's `inhibit` and `category`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from pipeline_processing.alerts.event import AlertEvent, Inhibition
from pipeline_processing.graph.run import Left
from pipeline_processing.points.keys import Tags


class HeldBack(msgspec.Struct, frozen=True):
    """Events of this category whose tags include these."""

    category: str
    tags: Tags

    def includes(self, event: AlertEvent) -> bool:
        has = dict(event.tags)
        return event.category == self.category and all(has.get(name, "") == value for name, value in self.tags)


@dataclass(slots=True)
class Inhibitors:
    others: frozenset[HeldBack] = frozenset()
    _own: dict[tuple[str, str, HeldBack], None] = field(default_factory=dict)

    @property
    def own(self) -> frozenset[HeldBack]:
        """What the task's own alerts hold back now."""
        return frozenset(held for _, _, held in self._own)

    def told(self, left: Sequence[Left], nodes: Sequence[str]) -> tuple[list[Left], list[Left]]:
        """What is told, and the events that are not; `nodes` are those of the graph in their order."""
        if not self.others and not self._own and not any(isinstance(each.item, Inhibition) for each in left):
            return list(left), []
        told, held = [], []
        for each in _in_order(left, nodes):
            if isinstance(each.item, Inhibition):
                self._inhibit(each.node, each.item)
            elif isinstance(each.item, AlertEvent) and self._holds_back(each.item):
                held.append(each)
            else:
                told.append(each)
        return told, held

    def _inhibit(self, node: str, given: Inhibition) -> None:
        key = node, given.group, HeldBack(given.category, given.tags)
        if given.active:
            self._own[key] = None
        else:
            self._own.pop(key, None)

    def _holds_back(self, event: AlertEvent) -> bool:
        own = (held for _, _, held in self._own)
        return bool(event.category) and any(each.includes(event) for each in (*self.others, *own))


def _in_order(left: Sequence[Left], nodes: Sequence[str]) -> Iterable[Left]:
    """Alerts in the order of their points, each node's own order kept; all else before them, as it was."""
    alerts = [each for each in left if isinstance(each.item, AlertEvent | Inhibition)]
    place = {name: at for at, name in enumerate(nodes)}
    yield from (each for each in left if not isinstance(each.item, AlertEvent | Inhibition))
    yield from (each for _, _, _, each in sorted(_placed(alerts, place), key=lambda found: found[:3]))


def _placed(alerts: Sequence[Left], place: dict[str, int]) -> Iterator[tuple[int, int, int, Left]]:
    latest = dict.fromkeys(place, -1)
    for at, each in enumerate(alerts):
        latest[each.node] = max(latest[each.node], each.item.cause)
        yield latest[each.node], place[each.node], at, each
