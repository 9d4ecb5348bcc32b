"""How many events came, by client, type and outcome: for Prometheus at once, on the queue once a second.

In:   from the event loop, an outcome once it is known; many events of one request as one number.
Out:  `pipeline_collected_events_total` in a registry; on `event-counts` each second the counts that have changed, and every
      WHOLE_EACH seconds all, from a thread with a broker of its own.
Clients are of the clients' file, types of the declarations, outcomes of Outcome and Code: nothing that is sent adds a name.
A queue that is away loses nothing, because each count is of all since the process began.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import count
from typing import TypeAlias

from pipeline_queue.brokers import Broker, Message
from pipeline_queue.codec import as_repeated, blocks
from pipeline_queue.errors import QueueError
from pipeline_queue.events import Event, event_id, event_type
from pipeline_queue.service import essential_thread
from pipeline_queue.topics import EVENT_COUNTS
from prometheus_client import CollectorRegistry, Counter

TELL_S = 1.0
WHOLE_EACH = 10
STOP_WITHIN_S = 1.0
Key: TypeAlias = tuple[str, str, str]
"""Client, type, outcome."""

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What became of events, beside the refusals of single events, whose outcome is their code's message."""

    ACCEPTED = "accepted"
    UNKNOWN_CLIENT = "unknown client"
    FOREIGN_PAGE = "foreign page"
    TOO_FAST = "too fast"
    TOO_LARGE = "too large"
    TOO_SLOW = "too slow"
    CUT_OFF = "cut off"
    BAD_ENCODING = "bad encoding"
    QUEUE_UNAVAILABLE = "queue unavailable"
    NO_ROOM = "no room"


class Counts:
    """Of one process, since it began. `add` belongs to its event loop."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events: dict[Key, int] = {}
        self._figures: dict[Key, Counter] = {}
        self._all = Counter(
            "pipeline_collected_events",
            "Events by what became of them; a request that was refused unread counts as one",
            ("client", "type", "outcome"),
            registry=registry,
        )

    def add(self, client: str, outcome: str, by_type: Mapping[str, int]) -> None:
        for name, events in by_type.items():
            key = (client, name, outcome)
            if key not in self._events:
                self._events[key], self._figures[key] = 0, self._all.labels(*key)
            self._events[key] += events
            self._figures[key].inc(events)

    def now(self) -> Mapping[Key, int]:
        """A copy; from any thread."""
        return self._events.copy()


class Report:
    """The counts as events, numbered without a gap. Pure but for what it remembers."""

    def __init__(self, counts: Counts, producer: str) -> None:
        self._counts, self._producer = counts, producer
        self._told: Mapping[Key, int] = {}
        self._seq = 0

    def next(self, time_ns: int, *, whole: bool) -> list[Event]:
        """What has changed since the last one, or all."""
        now = self._counts.now()
        due = [(key, events) for key, events in now.items() if whole or self._told.get(key) != events]
        first, self._seq, self._told = self._seq, self._seq + len(due), now
        return [
            event_type(EVENT_COUNTS)(event_id(self._producer, seq), time_ns, self._producer, seq, *key, events)
            for seq, (key, events) in enumerate(due, first)
        ]


class Telling:
    """Puts a report on the queue each second. What may be there is sent again, as repeated, before there is a new one."""

    def __init__(self, report: Report, open_broker: Callable[[], Broker]) -> None:
        self._report, self._open_broker = report, open_broker
        self._broker: Broker | None = None
        self._unsure: list[Message] = []
        self._is_silent = False
        self._stopping = threading.Event()
        self._thread = essential_thread(self._run)
        self._thread.start()

    def stop(self) -> None:
        """Return when the last counts are on the queue, or after STOP_WITHIN_S."""
        self._stopping.set()
        self._thread.join(STOP_WITHIN_S)

    def _run(self) -> None:
        for turn in count(1):
            has_ended = self._stopping.wait(TELL_S)
            self._try(whole=turn % WHOLE_EACH == 0)
            if has_ended:
                break
        if self._broker is not None:
            self._broker.close()

    def _try(self, *, whole: bool) -> None:
        try:
            self._tell(self._connected(), whole=whole)
        except QueueError as error:
            if not self._is_silent:
                log.warning("no counts: %s", error)
            self._is_silent = True
        else:
            self._is_silent = False

    def _connected(self) -> Broker:
        if self._broker is None:
            broker = self._open_broker()
            broker.create([EVENT_COUNTS])
            self._broker = broker
        return self._broker

    def _tell(self, broker: Broker, *, whole: bool) -> None:
        self._unsure = [as_repeated(each) for each in self._unsure]
        self._send(broker)
        self._unsure = blocks(EVENT_COUNTS, self._report.next(time.time_ns(), whole=whole))
        self._send(broker)

    def _send(self, broker: Broker) -> None:
        if self._unsure:
            broker.publish(EVENT_COUNTS.name, self._unsure)
            self._unsure = []
