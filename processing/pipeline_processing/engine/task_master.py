"""The tasks of one process: made, started, fed, asked, stopped.

In:      definitions, and points from the queue or from whoever writes to it.
Out:     what endpoints hold, what tasks count, how their graphs look.
Refuses: scripts that are wrong (TickError), ids that no task has (NoTask), endpoints that a task lacks (UnknownEndpoint).
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from pipeline_processing.alerts.deadman import USUAL, Deadman
from pipeline_processing.alerts.event import NOWHERE, AlertEvent, Place
from pipeline_processing.engine import snapshot_files
from pipeline_processing.engine.left import Sent, Told, sent
from pipeline_processing.engine.life import Files, Heritage, Life
from pipeline_processing.engine.outlets import Kept, Outlets
from pipeline_processing.engine.portion import Portion
from pipeline_processing.engine.recorded_life import RecordedLife
from pipeline_processing.engine.snapshots import Snapshot
from pipeline_processing.engine.source import DirectSource, Source
from pipeline_processing.engine.task import Task
from pipeline_processing.errors import NotStartable
from pipeline_processing.graph import drawing
from pipeline_processing.graph.counting import node_stats
from pipeline_processing.graph.graph import Graph
from pipeline_processing.operators.alert import Alert
from pipeline_processing.operators.http_out import HttpOut, result_of
from pipeline_processing.points.reading import Reader
from pipeline_processing.results import dumps, series_of
from pipeline_processing.tasks.errors import NoTask, UnknownEndpoint
from pipeline_processing.tasks.task_master import DotView, TaskDefinition
from pipeline_processing.tickscript.compiling import compiled
from pipeline_processing.tickscript.errors import CannotStart

LOG = logging.getLogger(__name__)
REPLAY_ITEMS_MAX = 100_000
"""Alerts and the like that stay of a replay."""
ASKS_TIME = re.compile(r"\bnow\s*\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A task before it runs. `refusal` says why it cannot be started; it may have no graph then."""

    definition: TaskDefinition
    task: Task | None = None
    refusal: str = ""

    def dot(self) -> str:
        return drawing.plain(self.definition.id, self.task.graph) if self.task else ""


class Surroundings(Protocol):
    """What tasks live on."""

    def check(self, task: Task) -> None:
        """Raises NotStartable where it wants what is not here."""

    def source(self, definition: TaskDefinition, after: Snapshot | None) -> Source:
        """Where a task's points come from, after those that the snapshot has seen."""

    def outlets(self, definition: TaskDefinition) -> Outlets:
        """Where what leaves it goes."""

    def files(self, definition: TaskDefinition) -> Files | None:
        """Where it keeps what must outlive it."""

    def forget(self, name: str) -> None:
        """What a task that does not run has kept."""

    def forget_others(self, known: Callable[[], Iterable[str]], *, begin: str) -> None:
        """What all have kept that are not `known`; asked after it is looked what there is."""


@dataclass(slots=True)
class Isolated:
    """Tasks that are fed directly, and whose outcome is kept, the newest `items_max` or all: a replay's, a test's."""

    items_max: int | None = None

    def check(self, task: Task) -> None:
        pass

    def source(self, definition: TaskDefinition, after: Snapshot | None) -> DirectSource:
        return DirectSource()

    def outlets(self, definition: TaskDefinition) -> Kept:
        return Kept(self.items_max)

    def files(self, definition: TaskDefinition) -> None:
        return None

    def forget(self, name: str) -> None:
        pass

    def forget_others(self, known: Callable[[], Iterable[str]], *, begin: str) -> None:
        pass


class TaskMaster:
    def __init__(
        self,
        surroundings: Surroundings | None = None,
        reader: Reader | None = None,
        *,
        life: type[Life] = Life,
        server: Place = NOWHERE,
        deadman: Deadman = USUAL,
    ) -> None:
        """`server` is who runs the tasks, as templates of alerts tell it; `deadman` what it says of silence."""
        self._surroundings, self._life_of = surroundings or Isolated(), life
        self._reader, self._server, self._deadman = reader or Reader(), server, deadman
        self._lives: dict[str, Life] = {}
        self._lock = threading.Lock()
        self._written = 0

    def new_task(self, definition: TaskDefinition) -> Compiled:
        try:
            found = compiled(
                definition.script,
                place=replace(self._server, task=definition.id),
                variables=definition.vars,
                deadman=self._deadman,
            )
        except CannotStart as refusal:
            return Compiled(definition=definition, refusal=str(refusal))
        dbrps = definition.dbrps or found.dbrps
        task = Task(
            id=definition.id,
            dbrps=dbrps,
            graph=found.graph,
            asks_time=any(map(ASKS_TIME.search, _texts(definition))),
        )
        return Compiled(definition=definition, task=task, refusal=_why_not(found.graph))

    def start_task(self, compiled_task: Compiled) -> None:
        if compiled_task.task is None or compiled_task.refusal:
            raise NotStartable(compiled_task.refusal)
        self._surroundings.check(compiled_task.task)
        definition = compiled_task.definition
        files = self._surroundings.files(definition)
        before = snapshot_files.read(files.snapshot, version=definition.version) if files else None
        source = self._surroundings.source(definition, before)
        life = self._life_of(
            compiled_task.task,
            source,
            self._surroundings.outlets(definition),
            Heritage(files=files, version=definition.version, after=before),
        )
        with self._lock:
            self._lives[definition.id] = life
        life.start()

    def stop_task(self, task_id: str) -> None:
        if life := self._taken(task_id):
            life.stop()

    def abandon_task(self, task_id: str) -> None:
        if life := self._taken(task_id):
            life.abandon()

    def forget_kept(self, name: str) -> None:
        self._surroundings.forget(name)

    def forget_others(self, known: Callable[[], Iterable[str]], *, begin: str) -> None:
        self._surroundings.forget_others(known, begin=begin)

    def is_executing(self, task_id: str) -> bool:
        life = self._lives.get(task_id)
        return life is not None and life.executing

    def get_output(self, task_id: str, endpoint: str) -> bytes:
        return dumps({"series": self.series(task_id, endpoint)})

    def series(self, task_id: str, endpoint: str) -> list[dict[str, Any]]:
        """What an httpOut holds, its numbers as they are; raises UnknownEndpoint."""
        life = self._lives.get(task_id)
        node = life and next(
            (each for each in life.task.graph.nodes if _serves(each.operator, endpoint)),
            None,
        )
        if not node:
            raise UnknownEndpoint(task_id, endpoint, known=self.endpoints(task_id))
        with life.task.lock:
            run = life.task.run
            return [each for data in result_of(run.states[node.name]) for each in series_of(data, run.keys)]

    def endpoints(self, task_id: str) -> list[str]:
        life = self._lives.get(task_id)
        nodes = life.task.graph.nodes if life else ()
        return [each.operator.endpoint for each in nodes if isinstance(each.operator, HttpOut)]

    def stats(self, task_id: str) -> Mapping[str, Any]:
        life = self._life(task_id)
        _count_what_left(life)
        return {
            "task-stats": {"throughput": life.throughput},
            "node-stats": {name: node_stats(each) for name, each in life.task.run.counters.items()},
        }

    def edges(self, task_id: str) -> list[tuple[str, str, str, int]]:
        run = self._life(task_id).task.run
        first = run.graph.nodes[0].name
        return [
            ("stream", first, "stream", run.counters[first].collected),
            *((p, c, run.graph.edges[p], run.counters[p].emitted) for p, c in run.graph.connections()),
        ]

    def topics(self, task_id: str) -> Mapping[str, int]:
        run = self._life(task_id).task.run
        heard: Counter[str] = Counter()
        for node in run.graph.nodes:
            if isinstance(node.operator, Alert):
                told = run.counters[node.name].own["alerts_triggered"]
                heard.update(dict.fromkeys(node.operator.topics, told))
        return heard

    def dropped(self, task_id: str) -> Mapping[str, Mapping[str, int]]:
        """By node, how many points it dropped and why."""
        counters = self._life(task_id).task.run.counters
        return {name: dict(each.reasons) for name, each in counters.items() if each.reasons}

    def dot(self, task_id: str, view: DotView) -> str:
        life = self._life(task_id)
        _count_what_left(life)
        return drawing.counted(task_id, life.task.run, view, throughput=life.throughput)

    def error(self, task_id: str) -> str:
        life = self._lives.get(task_id)
        return life.error if life else ""

    def snapshot_task(self, task_id: str) -> bytes:
        return self._life(task_id).snapshot()

    def sent(self, task_id: str) -> list[Sent]:
        """What left a task whose outcome is kept; nothing of others. Raises NoTask."""
        life = self._life(task_id)
        # A copy in one go: the task's thread may add to it.
        left = life.outlets.left.copy() if isinstance(life.outlets, Kept) else ()
        return sent(left, list(life.task.run.counters))

    def alerts(self, task_id: str) -> list[Told]:
        return [
            Told(node=each.node, event=each.item) for each in self.sent(task_id) if isinstance(each.item, AlertEvent)
        ]

    def write_points(self, database: str, retention_policy: str, batches: Iterable[Any]) -> None:
        """Points (Arrow batches, see pipeline_queue/points/block.py) for the tasks that are fed directly."""
        for batch in batches:
            block = self._reader.of_batch(database, retention_policy, batch)
            portion = Portion(topic="", partition=0, offset=self._written, block=block)
            self._written += 1
            for life in list(self._lives.values()):
                if isinstance(life.source, DirectSource):
                    life.source.put(portion)

    def stream(self, database: str, retention_policy: str) -> Callable[[Iterable[Any]], None]:
        """`write_points` for points of one place."""
        return partial(self.write_points, database, retention_policy)

    def drain(self) -> None:
        """End the tasks that are fed directly, once they have computed all; what they held back comes out."""
        for life in list(self._lives.values()):
            if isinstance(life.source, DirectSource):
                life.source.close()
                life.join()

    def new(self) -> TaskMaster:
        kept = Isolated(items_max=REPLAY_ITEMS_MAX)
        return TaskMaster(kept, life=RecordedLife, server=self._server, deadman=self._deadman)

    def close(self, within_s: float | None = None) -> None:
        """Stop all tasks. Who waits for no more than `within_s` ends the process: what was not through by then its next life
        does again, as after a crash."""
        deadline_s = None if within_s is None else time.monotonic() + within_s
        with self._lock:
            lives, self._lives = self._lives, {}
        for life in lives.values():
            life.end_soon()
        for task_id, life in lives.items():
            if not life.join(None if deadline_s is None else max(0.0, deadline_s - time.monotonic())):
                LOG.warning("task %s is left in the middle of a step, which is done again at the next start", task_id)

    def _taken(self, task_id: str) -> Life | None:
        with self._lock:
            return self._lives.pop(task_id, None)

    def _life(self, task_id: str) -> Life:
        life = self._lives.get(task_id)
        if life is None:
            raise NoTask
        return life


def _why_not(graph: Graph) -> str:
    """Why a task of this graph is not run; empty if it is."""
    for node in graph.nodes:
        if reason := getattr(node.operator, "NOT_RUN", ""):
            return f"{node.place}: {reason}" if node.place else reason
    return ""


def _texts(definition: TaskDefinition) -> Iterator[str]:
    """The script, and the lambdas that its variables are given."""
    yield definition.script
    yield from (each["value"] for each in definition.vars.values() if each["type"] == "lambda")


def _count_what_left(life: Life) -> None:
    """By the nodes that let it out, as it is now."""
    run, counted = life.task.run, life.outlets.counted()
    for node in run.graph.nodes:
        if node.name in counted:
            run.counters[node.name].own.update(zip(node.operator.COUNTS, counted[node.name], strict=True))


def _serves(operator: object, endpoint: str) -> bool:
    return isinstance(operator, HttpOut) and operator.endpoint == endpoint
