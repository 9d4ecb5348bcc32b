"""What left a task whose outcome is kept: a replay's, a test's.

In:      what its outlets keep, and its nodes in their order.
Out:     each event, and each batch of rows as a series, in the order of the points that caused them, then of the nodes. That of the
         steps, one node after the other, would tell where steps ended. Each node's own order stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_processing.alerts.event import AlertEvent
from pipeline_processing.graph.run import Left
from pipeline_processing.points.keys import Keys
from pipeline_processing.results import series_of

POINTS = "data", "points"
"""What the things that leave a task call their points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert's event, and the node that told it."""

    node: str
    event: AlertEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one node let out at once, and which point caused it or one before; rows and batches as series."""

    node: str
    cause: int
    item: AlertEvent | dict[str, Any]


def sent(left: Iterable[tuple[Left, Keys]], nodes: Sequence[str]) -> list[Sent]:
    place = {name: at for at, name in enumerate(nodes)}
    latest = dict.fromkeys(nodes, -1)
    found = []
    for each, keys in left:
        for cause, item in _items(each.item, keys):
            latest[each.node] = max(latest[each.node], cause)
            found.append(Sent(node=each.node, cause=latest[each.node], item=item))
    return sorted(found, key=lambda each: (each.cause, place[each.node]))


def _items(item: Any, keys: Keys) -> Iterator[tuple[int, Any]]:
    """With the number of the point that caused it."""
    if isinstance(item, AlertEvent):
        yield item.cause, item
        return
    points = next((getattr(item, name) for name in POINTS if hasattr(item, name)), None)
    if points is not None:
        yield from zip(points.cause.tolist(), series_of(points, keys), strict=True)
