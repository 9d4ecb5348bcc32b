"""Tasks on the queue: fed from its topics, heard by the world, and resumed after a crash.

In:      a queue, and a folder for what must outlive the process.
Out:     sources, outlets and files for the tasks of a TaskMaster.
Refuses: (NotStartable) a task that posts to an endpoint that there is not.
Database and retention policy say what a task reads (places.py). A topic is followed from the first task on that reads it.
A task that is started for the first time begins with what comes next, or with what came from a time in the past on. A record that is no block of points is passed over.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from pipeline_queue.brokers import Broker, Record, Term
from pipeline_queue.catalog import topics
from pipeline_queue.points.block import NotABlock
from pipeline_queue.topics import ALERTS, POINTS

from pipeline_processing.engine import terms
from pipeline_processing.engine.ingress import Ingress
from pipeline_processing.engine.life import SNAPSHOT_INTERVAL_S, Files
from pipeline_processing.engine.limits import Limits
from pipeline_processing.engine.outlets import Outlets
from pipeline_processing.engine.places import places_of
from pipeline_processing.engine.portion import Portion
from pipeline_processing.engine.ring import Ring
from pipeline_processing.engine.snapshots import Snapshot
from pipeline_processing.engine.source import Began, LogSource, Place
from pipeline_processing.engine.tail import Tail
from pipeline_processing.engine.task import Task
from pipeline_processing.errors import NotStartable
from pipeline_processing.operators.http_post import HttpPost
from pipeline_processing.points.reading import Reader
from pipeline_processing.tasks.task_master import TaskDefinition

LOG = logging.getLogger(__name__)
UNSAFE = re.compile(r"^\.|[^\w.-]")
"""In the name of a folder: what begins with a dot may lead elsewhere."""
NAME_BYTES_MAX = 255
"""Of a folder, as Linux has it; a task's id may have more, and the store's name stands before it."""


@dataclass(slots=True, kw_only=True)
class Live:
    open_broker: Callable[[], Broker]
    folder: Path
    reader: Reader
    open_outlets: Callable[[TaskDefinition], Outlets]
    snapshot_interval_s: float = SNAPSHOT_INTERVAL_S
    limits: Limits = field(default_factory=Limits)
    monotonic_s: Callable[[], float] = time.monotonic
    endpoints: frozenset[str] = frozenset()
    """Names that `httpPost` may post to."""
    ingress: Ingress = field(default_factory=Ingress)
    _ring: Ring = field(default_factory=Ring)
    _tails: dict[str, Tail] = field(default_factory=dict)
    _partitions: dict[str, int] = field(default_factory=dict)
    _reads_since_s: float = field(init=False)
    _reading: threading.Lock = field(default_factory=threading.Lock)
    _starting: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._reads_since_s = self.monotonic_s()
        self._follow(POINTS.name)

    def check(self, task: Task) -> None:
        posts = [each for each in task.graph.nodes if isinstance(each.operator, HttpPost)]
        unknown = [each for each in posts if each.operator.endpoint and each.operator.endpoint not in self.endpoints]
        if unknown:
            name = unknown[0].operator.endpoint
            raise NotStartable(
                f"{unknown[0].place}: endpoint '{name}' does not exist; TASKS_ENDPOINTS_FILE names those that do"
            )

    def source(self, definition: TaskDefinition, after: Snapshot | None) -> LogSource:
        places = {place for dbrp in definition.dbrps for place in places_of(*dbrp, self._followed)}
        ends = self._ends(places)
        begins = ends if definition.from_ns is None else self._taken_from(places, definition.from_ns)
        began = Began(positions=begins | (after.positions if after else {}), ends=ends)
        return LogSource(self._ring, began, open_broker=self.open_broker, decode=self.portions)

    def outlets(self, definition: TaskDefinition) -> Outlets:
        return self.open_outlets(definition)

    def files(self, definition: TaskDefinition) -> Files:
        """Those of its term, once no earlier one says anything any more; raises TermOver where this one is over."""
        term = definition.term
        folder = self._folder_of(term.name if term else definition.id)
        if term:
            self._begin(term)
            folder = terms.opened(folder, term.epoch)
        return Files(folder=folder, snapshot_interval_s=self.snapshot_interval_s, limits=self.limits)

    def forget(self, name: str) -> None:
        _remove(self._folder_of(name))

    def forget_others(self, known: Callable[[], Iterable[str]], *, begin: str) -> None:
        ours = self._folder_of(begin).name if begin else ""
        found = list(self.folder.iterdir()) if self.folder.is_dir() else []
        kept = set(map(self._folder_of, known()))
        for folder in found:
            if folder.name.startswith(ours) and folder not in kept:
                LOG.info("%s: no task has the name any more", folder)
                _remove(folder)

    def _folder_of(self, name: str) -> Path:
        return self.folder / _folder_name(name)

    def _begin(self, term: Term) -> None:
        with contextlib.closing(self.open_broker()) as broker:
            for topic in (ALERTS, POINTS):
                broker.begin_term(topic.name, term)

    def portions(self, record: Record) -> Sequence[Portion]:
        """None of a record that is no block: it is told of, and left out."""
        try:
            block = self._current_reader().read(topics()[record.topic], record)
        except NotABlock as error:
            LOG.error("%s, partition %d, offset %d: %s", record.topic, record.partition, record.offset, error)
            return []
        return [Portion(topic=record.topic, partition=record.partition, offset=record.offset, block=block)]

    def _received(self, record: Record) -> Sequence[Portion]:
        portions = self.portions(record)
        for each in portions:
            self.ingress.count(each.block)
        return portions

    def close(self) -> None:
        for tail in self._tails.values():
            tail.end_soon()
        for tail in self._tails.values():
            tail.stop()

    def _current_reader(self) -> Reader:
        """One that knows the series met since it was made, which is no longer ago than tasks remember groups."""
        after_s, now_s = self.limits.forget_after_s, self.monotonic_s()
        with self._reading:
            if after_s is not None and now_s - self._reads_since_s > after_s:
                self.reader, self._reads_since_s = Reader(), now_s
            return self.reader

    def _ends(self, places: Set[Place]) -> dict[Place, int]:
        """Of the queue: the ring may not have yet what was acknowledged before."""
        return self._offsets(places, lambda broker, topic: broker.end_offsets(topic))

    def _taken_from(self, places: Set[Place], from_ns: int) -> dict[Place, int]:
        """What the queue took from that time on."""
        return self._offsets(places, lambda broker, topic: broker.offsets_at(topic, from_ns))

    def _offsets(self, places: Set[Place], of: Callable[[Broker, str], Mapping[int, int]]) -> dict[Place, int]:
        with contextlib.closing(self.open_broker()) as broker:
            found = {topic: of(broker, topic) for topic in {topic for topic, _ in places}}
        return {(topic, partition): found[topic][partition] for topic, partition in places}

    def _followed(self, topic: str) -> int:
        """How many partitions it has, each of which is read from now on."""
        self._follow(topic)
        return self._partitions[topic]

    def _follow(self, topic: str) -> None:
        """From now on, unless that is done already: the ring knows the topic's ends when this returns."""
        with self._starting:
            if topic in self._tails:
                return
            decode = self._received if topic == POINTS.name else self.portions
            tail = Tail(topic, self._ring, open_broker=self.open_broker, decode=decode)
            self._partitions[topic] = tail.partitions
            self._tails[topic] = tail
            tail.start()


def _folder_name(name: str) -> str:
    """One of its own, right below ours, whatever the name is; where it would be too long it ends in a digest."""
    safe = UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name)
    if len(safe.encode()) <= NAME_BYTES_MAX:
        return safe
    end = f"%{hashlib.blake2b(safe.encode(), digest_size=16).hexdigest()}"
    return safe.encode()[: NAME_BYTES_MAX - len(end)].decode(errors="ignore") + end


def _remove(folder: Path) -> None:
    """With what is in it; a link is left, and so is what cannot be removed."""
    try:
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
    except OSError as error:
        LOG.warning("what a task remembered stays in %s: %s", folder, error)
