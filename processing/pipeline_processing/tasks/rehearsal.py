"""A script run over points at hand, without a server; and what came of it.

In:      a definition and blocks of points, in order. The clock is the points' own time (engine/recorded_life.py).
Out:     the alerts told, what the httpOuts hold at the end, and what else left the task.
Refuses: a script that is wrong (TickError) or cannot run; a task that breaks on the way (Broken).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_output.state.definitions import Dbrp
from pipeline_queue.points.block import PointBlock

from pipeline_processing.alerts.event import AlertEvent, Inhibition
from pipeline_processing.engine.outlets import Kept
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.graph.run import Left
from pipeline_processing.points.keys import Keys
from pipeline_processing.results import dumps, series_of
from pipeline_processing.tasks.errors import Broken
from pipeline_processing.tasks.script_facts import script_facts
from pipeline_processing.tasks.task_master import TaskDefinition

MIXED = "data", "points"
"""What the things that leave a task call their points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert's event, and the node that told it."""

    node: str
    event: AlertEvent


def definition_of(name: str, script: str, dbrps: Sequence[Dbrp]) -> TaskDefinition:
    """A task of a script alone, which reads `dbrps` if it names none itself; raises BadScript, Refused."""
    facts = script_facts(script)
    return TaskDefinition(id=name, type=facts.type, script=script, dbrps=facts.dbrps or tuple(dbrps))


def rehearsed(definition: TaskDefinition, blocks: Iterable[PointBlock], master: TaskMaster | None = None) -> TaskMaster:
    """In which the task has run to its end; raises TickError, NotStartable, Broken."""
    master = master or TaskMaster().new()
    master.start_task(master.new_task(definition))
    try:
        for block in blocks:
            if not master.is_executing(definition.id):
                break
            master.write(block.database, block.retention_policy, [block.batch])
    finally:
        master.drain()
    if error := master.error(definition.id):
        raise Broken(definition.id, error)
    return master


def alerts(master: TaskMaster, task_id: str) -> Iterator[Told]:
    """In the order in which they were told; those that others inhibit are not."""
    active: dict[tuple[str, Any], Inhibition] = {}
    for left, _ in _left(master, task_id):
        if isinstance(left.item, Inhibition):
            key = left.item.category, left.item.tags
            if left.item.active:
                active[key] = left.item
            else:
                active.pop(key, None)
        elif isinstance(left.item, AlertEvent) and not any(each.holds_back(left.item) for each in active.values()):
            yield Told(node=left.node, event=left.item)


def documents(master: TaskMaster, task_id: str) -> Iterator[bytes]:
    """All that came of it, one JSON document each: first what left, in order, then what the httpOuts hold.

    Raises NotJson for numbers that JSON has not.
    """
    for told in alerts(master, task_id):
        yield dumps({"alert": told.node, **told.event.body})
    for left, keys in _left(master, task_id):
        if not isinstance(left.item, AlertEvent | Inhibition):
            for each in _series(left.item, keys):  # how many leave at once is of no meaning
                yield dumps({"node": left.node, "series": [each]})
    for endpoint in master.endpoints(task_id):
        yield b'{"httpOut":%s,%s' % (dumps(endpoint), master.get_output(task_id, endpoint)[1:])


def _left(master: TaskMaster, task_id: str) -> list[tuple[Left, Keys]]:
    outlets = master.outlets(task_id)
    return outlets.left if isinstance(outlets, Kept) else []


def _series(item: Any, keys: Keys) -> list[dict[str, Any]]:
    points = next((getattr(item, name) for name in MIXED if hasattr(item, name)), None)
    return [] if points is None else series_of(points, keys)
