"""Tasks on the queue: fed from its topics, heard by the world, and resumed after a crash.

In:      a queue, and a folder for what must outlive the process.
Out:     sources, outlets and files for the tasks of a TaskMaster.
Database and retention policy say what a task reads: its points on the topic `points`, and the events of the topic NAME besides
where they are `pipeline` and the NAME of a topic with declared columns. A topic is followed from the first task on that reads it.
A task that is started for the first time begins with what comes next. A record that is no block of points is passed over.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline_queue.brokers import Broker, Record, Term
from pipeline_queue.brokers.protocol import partition_of
from pipeline_queue.catalog import topics
from pipeline_queue.points.block import NotABlock, Origin, key_of
from pipeline_queue.topics import ALERTS, POINTS

from pipeline_processing.engine import terms
from pipeline_processing.engine.life import SNAPSHOT_INTERVAL_S, Files
from pipeline_processing.engine.outlets import Outlets
from pipeline_processing.engine.portion import Portion
from pipeline_processing.engine.ring import Ring
from pipeline_processing.engine.snapshots import Snapshot
from pipeline_processing.engine.source import LogSource, Place
from pipeline_processing.engine.tail import Tail
from pipeline_processing.points.reading import DATABASE, Reader
from pipeline_processing.tasks.task_master import TaskDefinition

LOG = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Live:
    open_broker: Callable[[], Broker]
    folder: Path
    reader: Reader
    open_outlets: Callable[[TaskDefinition], Outlets]
    snapshot_interval_s: float = SNAPSHOT_INTERVAL_S
    _ring: Ring = field(default_factory=Ring)
    _tails: dict[str, Tail] = field(default_factory=dict)
    _partitions: dict[str, int] = field(default_factory=dict)
    _starting: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._follow(POINTS.name)

    def source(self, definition: TaskDefinition, after: Snapshot | None) -> LogSource:
        places = {place for dbrp in definition.dbrps for place in self._places(*dbrp)}
        positions = self._ends(places) | (after.positions if after else {})
        return LogSource(self._ring, positions, open_broker=self.open_broker, decode=self.portions)

    def outlets(self, definition: TaskDefinition) -> Outlets:
        return self.open_outlets(definition)

    def files(self, definition: TaskDefinition) -> Files:
        """Those of its term, once no earlier one says anything any more; raises TermOver where this one is over."""
        term = definition.term
        folder = self.folder / re.sub(r"[^\w.-]", "_", term.name if term else definition.id)
        if term:
            self._begin(term)
            folder = terms.opened(folder, term.epoch)
        return Files(folder=folder, snapshot_interval_s=self.snapshot_interval_s)

    def _begin(self, term: Term) -> None:
        with contextlib.closing(self.open_broker()) as broker:
            for topic in (ALERTS, POINTS):
                broker.begin_term(topic.name, term)

    def portions(self, record: Record) -> Sequence[Portion]:
        """None of a record that is no block: it is told of, and left out."""
        try:
            block = self.reader.read(topics()[record.topic], record)
        except NotABlock as error:
            LOG.error("%s, partition %d, offset %d: %s", record.topic, record.partition, record.offset, error)
            return []
        return [Portion(topic=record.topic, partition=record.partition, offset=record.offset, block=block)]

    def close(self) -> None:
        for tail in self._tails.values():
            tail.end_soon()
        for tail in self._tails.values():
            tail.stop()

    def _ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """Of the queue: the ring may not have yet what was acknowledged before."""
        with contextlib.closing(self.open_broker()) as broker:
            ends = {topic: broker.end_offsets(topic) for topic in {topic for topic, _ in places}}
        return {(topic, partition): ends[topic][partition] for topic, partition in places}

    def _places(self, database: str, retention_policy: str) -> Iterator[Place]:
        key = key_of(Origin(database, retention_policy))
        yield POINTS.name, partition_of(key, self._partitions[POINTS.name])
        if database == DATABASE and _has_columns(retention_policy):
            self._follow(retention_policy)
            yield from ((retention_policy, partition) for partition in range(self._partitions[retention_policy]))

    def _follow(self, topic: str) -> None:
        """From now on, unless that is done already: the ring knows the topic's ends when this returns."""
        with self._starting:
            if topic in self._tails:
                return
            tail = Tail(topic, self._ring, open_broker=self.open_broker, decode=self.portions)
            self._partitions[topic] = tail.partitions
            self._tails[topic] = tail
            tail.start()


def _has_columns(topic: str) -> bool:
    known = topics().get(topic)
    return known is not None and known.encoding == "ndjson"
