"""The points of the queue, as recordings read them.

In:      databases and retention policies, and the topics where tasks find their points (engine/places.py).
Out:     what these keep; or what comes from now on, until a time. Of several partitions in the order in which the queue took it.
Refuses: nothing; what is no block or no event is passed over, and what was sent again counts once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from heapq import merge

import numpy as np
from pipeline_output.state.definitions import Dbrp
from pipeline_queue.brokers import Broker, Record
from pipeline_queue.catalog import topics
from pipeline_queue.clock import Clock
from pipeline_queue.errors import OffsetGone
from pipeline_queue.points.block import NotABlock, PointBlock
from pipeline_queue.topics import POINTS

from pipeline_processing.engine.places import places_of
from pipeline_processing.engine.source import Place
from pipeline_processing.points.heard import Heard, Sent
from pipeline_processing.points.reading import Reader
from pipeline_processing.points.writing import block_of

WAIT_S, RECORDS = 0.2, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """A time that ends a recording, on the clock or in the points, whichever is there first."""

    time_ns: int
    clock: Clock
    stopped: Callable[[], bool]

    @property
    def is_past(self) -> bool:
        return self.clock.now_ns() >= self.time_ns

    def progress(self, begin_ns: int) -> float:
        return min(max((self.clock.now_ns() - begin_ns) / max(self.time_ns - begin_ns, 1), 0.0), 1.0)

    def cut(self, blocks: Iterable[PointBlock]) -> Iterator[PointBlock]:
        """Up to the first point that is later."""
        for block in blocks:
            late = np.flatnonzero(block.batch.column(0).to_numpy(zero_copy_only=False) > self.time_ns)
            if len(late):
                yield PointBlock(block.database, block.retention_policy, block.batch.slice(0, int(late[0])))
                return
            yield block


@dataclass(slots=True)
class PointLog:
    """Of some databases and retention policies; `offsets` are of what is read next, by topic and partition."""

    open_broker: Callable[[], Broker]
    dbrps: frozenset[Dbrp]
    offsets: dict[str, dict[int, int]]
    _heard: Heard = field(default_factory=Heard)
    _reader: Reader = field(default_factory=Reader)

    @classmethod
    def from_now(cls, open_broker: Callable[[], Broker], dbrps: Iterable[Dbrp]) -> PointLog:
        """What is published after this call; raises QueueError."""
        with closing(open_broker()) as broker:
            found = frozenset(dbrps)
            return cls(open_broker, found, _offsets(broker, found, broker.end_offsets))

    @classmethod
    def kept(cls, open_broker: Callable[[], Broker], dbrps: Iterable[Dbrp]) -> Iterator[PointBlock]:
        """All that there is now."""
        found = frozenset(dbrps)
        with ExitStack() as opened:
            broker = opened.enter_context(closing(open_broker()))
            log = cls(open_broker, found, _offsets(broker, found, broker.begin_offsets))
            ends = _offsets(broker, found, broker.end_offsets)
            # A broker each: one that went from partition to partition would fetch what it has again and again.
            runs = [
                log._until(opened.enter_context(closing(open_broker())), (topic, partition), end)
                for topic, of_topic in ends.items()
                for partition, end in of_topic.items()
            ]
            for record in merge(*runs, key=_taken_at):
                yield from log._decoded(record)

    def live(self, until: Until) -> Iterator[PointBlock]:
        """Until the clock is past that time, and what had come by then is read."""
        wait_s = WAIT_S / len(self.offsets)
        with closing(self.open_broker()) as broker:
            while not until.stopped():
                is_past = until.is_past
                found: defaultdict[Place, list[Record]] = defaultdict(list)
                for topic in self.offsets:
                    for record in self._next(broker, topic, list(self.offsets[topic]), wait_s):
                        found[topic, record.partition].append(record)
                for record in merge(*found.values(), key=_taken_at):
                    yield from self._decoded(record)
                if is_past and not found:
                    return

    def _until(self, broker: Broker, place: Place, end: int) -> Iterator[Record]:
        topic, partition = place
        while self.offsets[topic][partition] < end:
            for record in self._next(broker, topic, [partition], WAIT_S):
                if record.offset < end:
                    yield record

    def _next(self, broker: Broker, topic: str, partitions: Iterable[int], wait_s: float) -> list[Record]:
        """From the oldest that is left where the queue was faster to forget."""
        offsets = self.offsets[topic]
        while True:
            try:
                records = broker.read(topic, {each: offsets[each] for each in partitions}, wait_s=wait_s, limit=RECORDS)
                break
            except OffsetGone:
                begins = broker.begin_offsets(topic)
                offsets.update({each: max(offsets[each], begins[each]) for each in partitions})
        offsets.update({record.partition: record.offset + 1 for record in records})
        return records

    def _decoded(self, record: Record) -> Iterator[PointBlock]:
        with suppress(NotABlock):
            block = self._block(record)
            if block is not None and (block.database, block.retention_policy) in self.dbrps:
                yield block

    def _block(self, record: Record) -> PointBlock | None:
        """Of what counts; raises NotABlock."""
        if record.topic == POINTS.name:
            block = PointBlock.of(record.value)
            return block if self._heard.new_rows(Sent.of_message(record), len(block)) is None else None
        read = self._reader.read(topics()[record.topic], record)
        rows = self._heard.new_rows(read.sent, len(read))
        return None if not len(read) or (rows is not None and not len(rows)) else block_of(read, rows)


def _taken_at(record: Record) -> int:
    return record.append_time_ns


def _offsets(broker: Broker, dbrps: Iterable[Dbrp], of: Callable[[str], dict[int, int]]) -> dict[str, dict[int, int]]:
    places = {place for dbrp in dbrps for place in places_of(*dbrp, broker.partitions)}
    found = {topic: of(topic) for topic in sorted({topic for topic, _ in places})}
    return {
        topic: {partition: offset for partition, offset in offsets.items() if (topic, partition) in places}
        for topic, offsets in found.items()
    }
