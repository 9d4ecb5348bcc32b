"""What the pages show beside their charts: the newest record of some topics, and how many dead letters there are.

In:   topics of the queue, looked at once a second.
Out:  a frame {"records": {topic: record}, "dead_letters": count} whenever that changed.
A letter written twice has one id and counts once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from pipeline_queue.brokers import Broker, Record, open_broker
from pipeline_queue.errors import OffsetGone, QueueError
from pipeline_queue.topics import DEAD_LETTERS

from pipeline_display.feeds.feed import Batch
from pipeline_display.feeds.topic import record_shown

LOOK_EVERY_S = 1.0


class WatchReader:
    """See the module; one thread uses it. `sleep` ends early when the service stops."""

    away = (QueueError,)

    def __init__(self, url: str, topics: Sequence[str], *, sleep: Callable[[float], Any] = time.sleep) -> None:
        self._url = url
        self._topics = topics
        self._sleep = sleep
        self._broker: Broker | None = None
        self._records: dict[str, dict[str, Any]] = {}
        self._letters: set[bytes | None] = set()
        self._letters_from: dict[int, int] = {}
        self._told = b""

    def look(self) -> Batch:
        broker = self._broker = self._broker or open_broker(self._url)
        for topic in self._topics:
            if record := newest(broker, topic):
                self._records[topic] = record_shown(record)
        self._count_letters(broker)
        body = msgspec.json.encode({"records": self._records, "dead_letters": len(self._letters)})
        changed, self._told = body != self._told, body
        self._sleep(0 if changed else LOOK_EVERY_S)
        return Batch(bodies=[body] if changed else [])

    def let_go(self) -> None:
        if self._broker is not None:
            self._broker.close()
            self._broker = None

    def _count_letters(self, broker: Broker) -> None:
        start = self._letters_from or broker.begin_offsets(DEAD_LETTERS.name)
        try:
            records = broker.read(DEAD_LETTERS.name, start, limit=500)
        except OffsetGone:
            records, start = [], broker.begin_offsets(DEAD_LETTERS.name)
        self._letters.update(record.key for record in records)
        self._letters_from = {**start, **{record.partition: record.offset + 1 for record in records}}


def newest(broker: Broker, topic: str) -> Record | None:
    """A last record of `topic`, of the partition that was appended to last as far as one read tells; None if empty."""
    begins, ends = broker.begin_offsets(topic), broker.end_offsets(topic)
    start = {partition: max(begins[partition], end - 1) for partition, end in ends.items()}
    if start == ends:
        return None
    return max(broker.read(topic, start, limit=len(start)), key=lambda record: record.append_time_ns, default=None)
