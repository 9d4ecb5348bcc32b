"""What the pages show beside their charts: the newest record of some topics, the newest sample of what each job holds, and
how many dead letters there are.

In:   topics of the queue, `samples` and `dead-letters`, looked at once a second.
Out:  a frame {"records": {topic: record}, "samples": {job: JSON}, "dead_letters": count} whenever that changed.
A letter written twice has one id and counts once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from pipeline_queue.brokers import Broker, Record, open_broker
from pipeline_queue.codec import decode_all
from pipeline_queue.errors import OffsetGone, QueueError
from pipeline_queue.topics import DEAD_LETTERS, SAMPLES

from pipeline_display.feeds.feed import Batch
from pipeline_display.feeds.topic import record_shown

LOOK_EVERY_S = 1.0
SAMPLES_BACK = 50
"""So many records from the end on, the first look finds a sample of each job that runs."""


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
        self._samples: dict[str, str] = {}
        self._samples_from: dict[int, int] = {}
        self._told = b""

    def look(self) -> Batch:
        broker = self._broker = self._broker or open_broker(self._url)
        for topic in self._topics:
            if record := newest(broker, topic):
                self._records[topic] = record_shown(record)
        self._take_samples(broker)
        self._count_letters(broker)
        body = msgspec.json.encode(
            {"records": self._records, "samples": self._samples, "dead_letters": len(self._letters)}
        )
        changed, self._told = body != self._told, body
        self._sleep(0 if changed else LOOK_EVERY_S)
        return Batch(bodies=[body] if changed else [])

    def let_go(self) -> None:
        if self._broker is not None:
            self._broker.close()
            self._broker = None

    def _count_letters(self, broker: Broker) -> None:
        start = self._letters_from or broker.begin_offsets(DEAD_LETTERS.name)
        records, self._letters_from = _news(broker, DEAD_LETTERS.name, start)
        self._letters.update(record.key for record in records)

    def _take_samples(self, broker: Broker) -> None:
        start = self._samples_from or _near_end(broker, SAMPLES.name)
        records, self._samples_from = _news(broker, SAMPLES.name, start)
        self._samples.update((event.job, event.sample) for event in decode_all(SAMPLES, records).events)


def _news(broker: Broker, topic: str, start: Mapping[int, int]) -> tuple[list[Record], dict[int, int]]:
    """What came since `start`, and where the next look begins."""
    try:
        records = broker.read(topic, start, limit=500)
    except OffsetGone:
        return [], broker.begin_offsets(topic)
    return records, {**start, **{record.partition: record.offset + 1 for record in records}}


def _near_end(broker: Broker, topic: str) -> dict[int, int]:
    begins, ends = broker.begin_offsets(topic), broker.end_offsets(topic)
    return {partition: max(begins[partition], end - SAMPLES_BACK) for partition, end in ends.items()}


def newest(broker: Broker, topic: str) -> Record | None:
    """A last record of `topic`, of the partition that was appended to last as far as one read tells; None if empty."""
    begins, ends = broker.begin_offsets(topic), broker.end_offsets(topic)
    start = {partition: max(begins[partition], end - 1) for partition, end in ends.items()}
    if start == ends:
        return None
    return max(broker.read(topic, start, limit=len(start)), key=lambda record: record.append_time_ns, default=None)
