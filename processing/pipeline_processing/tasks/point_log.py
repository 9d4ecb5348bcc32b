"""The points of the queue, as recordings read them.

In:      the topic `points`, whose messages are blocks.
Out:     what it keeps; or what comes from now on, until a time.
Refuses: nothing; a message that is no block was refused at the door, and is passed over, as is one that was sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field

import numpy as np
from pipeline_queue.brokers import Broker, Record
from pipeline_queue.clock import Clock
from pipeline_queue.errors import OffsetGone, UnknownTopic
from pipeline_queue.points.block import NotABlock, PointBlock

from pipeline_processing.points.heard import Heard, Sent

TOPIC = "points"
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
    """From offsets on, by partition."""

    open_broker: Callable[[], Broker]
    offsets: dict[int, int]
    _heard: Heard = field(default_factory=Heard)

    @classmethod
    def from_now(cls, open_broker: Callable[[], Broker]) -> PointLog:
        """What is published after this call; raises QueueError."""
        with closing(open_broker()) as broker:
            return cls(open_broker, _offsets(broker, broker.end_offsets))

    @classmethod
    def kept(cls, open_broker: Callable[[], Broker]) -> Iterator[PointBlock]:
        """All that there is now."""
        with closing(open_broker()) as broker:
            log = cls(open_broker, _offsets(broker, broker.begin_offsets))
            ends = _offsets(broker, broker.end_offsets)
            while any(log.offsets[partition] < end for partition, end in ends.items()):
                yield from log._next(broker, ends)

    def live(self, until: Until) -> Iterator[PointBlock]:
        """Until the clock is past that time, and what had come by then is read."""
        with closing(self.open_broker()) as broker:
            if not self.offsets:
                self.offsets = _offsets(broker, broker.begin_offsets)
            while not until.stopped():
                is_past = until.is_past
                before = dict(self.offsets)
                yield from self._next(broker)
                if is_past and self.offsets == before:
                    return
                if not self.offsets:
                    until.clock.sleep(WAIT_S)
                    self.offsets = _offsets(broker, broker.begin_offsets)

    def _next(self, broker: Broker, ends: dict[int, int] | None = None) -> Iterator[PointBlock]:
        if not self.offsets:
            return
        try:
            records = broker.read(TOPIC, self.offsets, wait_s=WAIT_S, limit=RECORDS)
        except OffsetGone:
            begins = broker.begin_offsets(TOPIC)
            self.offsets = {partition: max(at, begins.get(partition, 0)) for partition, at in self.offsets.items()}
            return
        for record in records:
            self.offsets[record.partition] = record.offset + 1
            if ends is None or record.offset < ends[record.partition]:
                yield from self._decoded(record)

    def _decoded(self, record: Record) -> Iterator[PointBlock]:
        with suppress(NotABlock):
            block = PointBlock.of(record.value)
            if self._heard.new_rows(Sent.of_message(record), len(block)) is None:
                yield block


def _offsets(broker: Broker, of: Callable[[str], dict[int, int]]) -> dict[int, int]:
    """Empty as long as nobody has written a point."""
    try:
        return of(TOPIC)
    except UnknownTopic:
        return {}
