"""A topic as a feed: its events as they are appended, after those of the recent past.

In:   a topic of the queue, from where it stood `history_s` ago.
Out:  frames of events in columns (see `columns`), once in RECORD_EVERY_S with "record", the last one as it lies on the
      queue; and for thumbnails ten events a second and producer at most.
Lines that are no events go to the dead letters before the feed moves on; a letter's id is its origin, so that another
start of the page does not make a second letter of it. What retention took away is a gap, counted, and the feed goes on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from pipeline_queue.brokers import Broker, Record, open_broker
from pipeline_queue.codec import Decoded, decode_all
from pipeline_queue.dead_letters import bury
from pipeline_queue.errors import OffsetGone, QueueError
from pipeline_queue.events import Event
from pipeline_queue.topics import Topic

from pipeline_display.feeds.columns import in_columns
from pipeline_display.feeds.feed import Batch
from pipeline_display.feeds.thinned import Thinned

WAIT_S = 0.5
"""A look returns at once when there is news; without news it must not hold up the end of the service."""
ROWS_PER_FRAME_MAX = 250
RECORDS_PER_LOOK_MAX = 2_000
RECORDS_AT_FIRST = 50
LOOK_BYTES_MAX = 2 * 1024 * 1024
"""A record may be a block of thousands of events, which as objects take several times their bytes: so many records are read at
once as were that large before. 2,000 blocks of 150 numbers take 8 MB so, and took 107 at once."""
NOTHING = Decoded(events=[], late=[], dead=[])
RECORD_EVERY_S = 1.0
"""A page shows another sample no oftener; in each frame of five numbers it would be most of the bytes."""
THUMBNAIL_EVERY_NS = 100_000_000
VALUE_SHOWN_BYTES = 1_000
"""As much of a record as a page shows; a block can have megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one read brought; `record` is its last, None if it brought none."""

    decoded: Decoded
    record: Record | None = None
    gaps: int = 0
    lag: int = 0


class Tail:
    """Where one reader is in a topic: from `history_s` ago on, each event once."""

    def __init__(self, url: str, topic: Topic, *, history_s: float) -> None:
        self._url = url
        self._topic = topic
        self._history_s = history_s
        self._broker: Broker | None = None
        self._positions: dict[int, int] | None = None
        self._records_max = RECORDS_AT_FIRST

    def take(self) -> Taken:
        """What came since, or nothing after a while; bad lines are buried. Raises QueueError."""
        broker = self._opened()
        try:
            records = broker.read(self._topic.name, self._from(broker), wait_s=WAIT_S, limit=self._records_max)
        except OffsetGone:
            self._skip_gap(broker)
            return Taken(decoded=NOTHING, gaps=1)
        decoded = decode_all(self._topic, records)
        bury(broker, decoded.dead)
        self._positions = {**self._from(broker), **{record.partition: record.offset + 1 for record in records}}
        lag = self._lag(broker, len(records))
        if records:
            mean_bytes = sum(len(record.value) for record in records) / len(records)
            self._records_max = max(1, min(RECORDS_PER_LOOK_MAX, int(LOOK_BYTES_MAX / max(1.0, mean_bytes))))
        return Taken(decoded=decoded, record=records[-1] if records else None, lag=lag)

    def let_go(self) -> None:
        if self._broker is not None:
            self._broker.close()
            self._broker = None

    def _opened(self) -> Broker:
        if self._broker is None:
            self._broker = open_broker(self._url)
        return self._broker

    def _from(self, broker: Broker) -> dict[int, int]:
        if self._positions is None:
            since_ns = time.time_ns() - round(self._history_s * 1e9)
            self._positions = broker.offsets_at(self._topic.name, since_ns)
        return self._positions

    def _skip_gap(self, broker: Broker) -> None:
        begin = broker.begin_offsets(self._topic.name)
        self._positions = {partition: max(offset, begin[partition]) for partition, offset in self._from(broker).items()}

    def _lag(self, broker: Broker, records: int) -> int:
        """Records not read yet. A read that could have brought more has read all, so the broker is not asked."""
        if records < self._records_max:
            return 0
        ends = broker.end_offsets(self._topic.name)
        return sum(max(0, ends[partition] - offset) for partition, offset in self._from(broker).items())


class TopicReader:
    """See the module; one thread uses it."""

    away = (QueueError,)

    def __init__(self, url: str, topic: Topic, *, history_s: float) -> None:
        self._tail = Tail(url, topic, history_s=history_s)
        self._thinned: Thinned[Event] = Thinned()
        self._record_due_s = time.monotonic()

    def look(self) -> Batch:
        taken = self._tail.take()
        events = taken.decoded.events
        few = self._thinned.take(((event.producer, event.time_ns // THUMBNAIL_EVERY_NS), event) for event in events)
        return Batch(
            bodies=frames(events, record=self._record_if_due(taken.record)),
            thumbnail=frames(few),
            events=len(events),
            dead=len(taken.decoded.dead),
            late=sum(taken.decoded.late),
            gaps=taken.gaps,
            lag=taken.lag,
            age_s=(time.time_ns() - events[-1].time_ns) / 1e9 if events else None,
        )

    def let_go(self) -> None:
        self._tail.let_go()

    def _record_if_due(self, record: Record | None) -> Record | None:
        if record is None or time.monotonic() < self._record_due_s:
            return None
        self._record_due_s = time.monotonic() + RECORD_EVERY_S
        return record


def frames(events: Sequence[Event], *, record: Record | None = None) -> list[bytes]:
    """The events in frames of a bounded number of rows, the last with the record that is shown as the sample."""
    starts = range(0, len(events), ROWS_PER_FRAME_MAX)
    made = [in_columns(events[start : start + ROWS_PER_FRAME_MAX]) for start in starts]
    if made and record:
        made[-1] = {**made[-1], "record": record_shown(record)}
    return [msgspec.json.encode(frame) for frame in made]


def record_shown(record: Record) -> dict[str, Any]:
    """The record as a page shows it: bytes as text, a long value cut."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "append_time_ns": record.append_time_ns,
        "key": None if record.key is None else record.key.decode(errors="replace"),
        "value": record.value[:VALUE_SHOWN_BYTES].decode(errors="replace"),
        "value_bytes": len(record.value),
        "headers": {name: value.decode(errors="replace") for name, value in record.headers},
    }
