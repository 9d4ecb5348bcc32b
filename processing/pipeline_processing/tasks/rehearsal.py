"""A script run over points at hand, without a server; and what came of it.

In:      a definition and blocks of points, in order. The clock is the points' own time (engine/recorded_life.py).
Out:     the alerts told, what the httpOuts hold at the end, and what else left the task.
Refuses: a script that is wrong (TickError) or cannot run; a task that breaks on the way (Broken).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pipeline_output.state.definitions import Dbrp
from pipeline_queue.points.block import PointBlock

from pipeline_processing.alerts.event import AlertEvent
from pipeline_processing.engine.outlets import Kept
from pipeline_processing.engine.recorded_life import RecordedLife
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.points.keys import Keys
from pipeline_processing.results import dumps, series_of
from pipeline_processing.tasks.errors import Broken
from pipeline_processing.tasks.script_facts import script_facts
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_processing.tasks.variables import checked

POINTS = "data", "points"
"""What the things that leave a task call their points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert's event, and the node that told it."""

    node: str
    event: AlertEvent


def definition_of(
    name: str, script: str, dbrps: Sequence[Dbrp], variables: Mapping[str, Any] = MappingProxyType({})
) -> TaskDefinition:
    """A task of a script and values of its variables, which reads `dbrps`, or what the script names where there are none.

    Raises BadScript, Refused.
    """
    facts = script_facts(script)
    return TaskDefinition(
        id=name, type=facts.type, script=script, dbrps=tuple(dbrps) or facts.dbrps, vars=checked(variables)
    )


def rehearsed(definition: TaskDefinition, blocks: Iterable[PointBlock], master: TaskMaster | None = None) -> TaskMaster:
    """In which the task has run to its end; raises TickError, NotStartable, Broken."""
    master = master or TaskMaster(life=RecordedLife)
    master.start_task(master.new_task(definition))
    try:
        for block in blocks:
            if not master.is_executing(definition.id):
                break
            master.write_points(block.database, block.retention_policy, [block.batch])
    finally:
        master.drain()
    if error := master.error(definition.id):
        raise Broken(definition.id, error)
    return master


def alerts(master: TaskMaster, task_id: str) -> Iterator[Told]:
    """In the order of the points that caused them, then of the nodes."""
    for sent in _sent(master, task_id):
        if isinstance(sent.item, AlertEvent):
            yield Told(node=sent.node, event=sent.item)


def documents(master: TaskMaster, task_id: str) -> Iterator[bytes]:
    """All that came of it, one JSON document each: alerts; what else left, in the same order; what the httpOuts hold.

    Raises NotJson for numbers that JSON has not.
    """
    for told in alerts(master, task_id):
        yield dumps({"alert": told.node, **told.event.body})
    for sent in _sent(master, task_id):
        if isinstance(sent.item, dict):
            yield dumps({"node": sent.node, "series": [sent.item]})
    for endpoint in master.endpoints(task_id):
        yield b'{"httpOut":%s,%s' % (dumps(endpoint), master.get_output(task_id, endpoint)[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """What one node let out at once, and which point caused it or one before; rows and batches as series."""

    node: str
    cause: int
    item: AlertEvent | dict[str, Any]


def _sent(master: TaskMaster, task_id: str) -> list[_Sent]:
    """Each node's own order stays. That of a step, one node after the other, would tell where steps ended."""
    outlets = master.outlets(task_id)
    left = outlets.left if isinstance(outlets, Kept) else ()
    place = {name: at for at, name in enumerate(master.stats(task_id)["node-stats"])}
    latest = dict.fromkeys(place, -1)
    found = []
    for each, keys in left:
        for cause, item in _items(each.item, keys):
            latest[each.node] = max(latest[each.node], cause)
            found.append(_Sent(node=each.node, cause=latest[each.node], item=item))
    return sorted(found, key=lambda each: (each.cause, place[each.node]))


def _items(item: Any, keys: Keys) -> Iterator[tuple[int, Any]]:
    """With the number of the point that caused it."""
    if isinstance(item, AlertEvent):
        yield item.cause, item
        return
    points = next((getattr(item, name) for name in POINTS if hasattr(item, name)), None)
    if points is not None:
        yield from zip(points.cause.tolist(), series_of(points, keys), strict=True)
