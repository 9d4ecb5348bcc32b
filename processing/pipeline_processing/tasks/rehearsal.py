"""A script run over points at hand, without a server; and what came of it.

In:      a definition and blocks of points, in order. The clock is the points' own time (engine/recorded_life.py).
Out:     the alerts told, what the httpOuts hold at the end, and what else left the task.
Refuses: a script that is wrong (TickError) or cannot run; a task that breaks on the way (Broken).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pipeline_output.state.definitions import Dbrp
from pipeline_queue.points.block import PointBlock

from pipeline_processing.engine.recorded_life import RecordedLife
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.results import dumps
from pipeline_processing.tasks.errors import Broken
from pipeline_processing.tasks.script_facts import script_facts
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_processing.tasks.variables import checked


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


def documents(master: TaskMaster, task_id: str) -> Iterator[bytes]:
    """All that came of it, one JSON document each: alerts; what else left, in the same order; what the httpOuts hold.

    Raises NotJson for numbers that JSON has not.
    """
    for told in master.alerts(task_id):
        yield dumps({"alert": told.node, **told.event.body})
    for sent in master.sent(task_id):
        if isinstance(sent.item, dict):
            yield dumps({"node": sent.node, "series": [sent.item]})
    for endpoint in master.endpoints(task_id):
        yield b'{"httpOut":%s,%s' % (dumps(endpoint), master.get_output(task_id, endpoint)[1:])
