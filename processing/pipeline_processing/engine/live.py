"""Tasks on the queue: fed from its topics, heard by the world, and resumed after a crash.

In:      a queue, and a folder for what must outlive the process.
Out:     sources, outlets and files for the tasks of a TaskMaster.
A task that is started for the first time begins with what comes next.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline_queue.brokers import Broker, Record
from pipeline_queue.brokers.protocol import partition_of
from pipeline_queue.points.block import NotABlock, Origin, key_of
from pipeline_queue.topics import POINTS

from pipeline_processing.engine.life import SNAPSHOT_INTERVAL_S, Files
from pipeline_processing.engine.outlets import Outlets
from pipeline_processing.engine.portion import Portion
from pipeline_processing.engine.ring import Ring
from pipeline_processing.engine.snapshots import Snapshot
from pipeline_processing.engine.source import LogSource, Place
from pipeline_processing.engine.tail import Tail
from pipeline_processing.points.reading import Reader
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
    _tail: Tail = field(init=False)
    _partitions: int = field(init=False)

    def __post_init__(self) -> None:
        broker = self.open_broker()
        self._partitions = broker.partitions(POINTS.name)
        broker.close()
        self._tail = Tail(POINTS.name, self._ring, open_broker=self.open_broker, decode=self.portions)
        self._tail.start()

    def source(self, definition: TaskDefinition, after: Snapshot | None) -> LogSource:
        places = {self._place(database, policy) for database, policy in definition.dbrps}
        positions = after.positions if after else self._ends(places)
        return LogSource(self._ring, positions, open_broker=self.open_broker, decode=self.portions)

    def outlets(self, definition: TaskDefinition) -> Outlets:
        return self.open_outlets(definition)

    def files(self, definition: TaskDefinition) -> Files:
        folder = self.folder / re.sub(r"[^\w.-]", "_", definition.id)
        return Files(folder=folder, snapshot_interval_s=self.snapshot_interval_s)

    def portions(self, record: Record) -> Sequence[Portion]:
        """None of a record that is no block: it is told of, and left out."""
        try:
            block = self.reader.read(POINTS, record)
        except NotABlock as error:
            LOG.error("%s, partition %d, offset %d: %s", record.topic, record.partition, record.offset, error)
            return []
        return [Portion(topic=record.topic, partition=record.partition, offset=record.offset, block=block)]

    def close(self) -> None:
        self._tail.stop()

    def _ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """Of the queue: the ring may not have yet what was acknowledged before."""
        with contextlib.closing(self.open_broker()) as broker:
            ends = broker.end_offsets(POINTS.name)
        return {(topic, partition): ends[partition] for topic, partition in places}

    def _place(self, database: str, retention_policy: str) -> Place:
        return POINTS.name, partition_of(key_of(Origin(database, retention_policy)), self._partitions)
