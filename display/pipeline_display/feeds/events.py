"""Applications' events as a feed: what comes in at the collectors, and how the loader stands.

In:   the topics `event-counts` and `loads`.
Out:  frames {"counts": rows, "loads": rows}: each as it comes, and every ten seconds the newest of each that was told within
      `FORGET_S`, so that a page opened now learns also of a collector that has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
from pipeline_queue.errors import QueueError
from pipeline_queue.events import Event
from pipeline_queue.topics import EVENT_COUNTS, LOADS, Topic

from pipeline_display.feeds.feed import Batch
from pipeline_display.feeds.topic import Tail

FORGET_S = 600.0
ALL_EVERY_S = 10.0

Key: TypeAlias = Callable[[Event], Any]


class EventsReader:
    """See the module; one thread uses it."""

    away = (QueueError,)

    def __init__(self, url: str) -> None:
        self._told = {
            "counts": _Newest(url, EVENT_COUNTS, lambda row: (row.producer, row.client, row.type, row.outcome)),
            "loads": _Newest(url, LOADS, lambda row: row.type),
        }
        self._all_due_s = 0.0

    def look(self) -> Batch:
        is_all_due = time.monotonic() >= self._all_due_s
        gaps, frame = 0, {}
        for name, newest in self._told.items():
            gaps += newest.take()
            if rows := newest.rows(everything=is_all_due):
                frame[name] = rows
        if is_all_due:
            self._all_due_s = time.monotonic() + ALL_EVERY_S
        return Batch(bodies=[msgspec.json.encode(frame)] if frame else [], gaps=gaps)

    def let_go(self) -> None:
        for newest in self._told.values():
            newest.let_go()


class _Newest:
    """The newest row of each key."""

    def __init__(self, url: str, topic: Topic, key: Key) -> None:
        self._tail, self._key = Tail(url, topic, history_s=FORGET_S), key
        self._known: dict[Any, Event] = {}
        self._changed: dict[Any, Event] = {}

    def take(self) -> int:
        """Read on; how often retention was faster."""
        taken = self._tail.take()
        self._changed = {self._key(row): row for row in taken.decoded.events}
        self._known |= self._changed
        return taken.gaps

    def rows(self, *, everything: bool) -> list[Event]:
        if not everything:
            return list(self._changed.values())
        oldest_ns = time.time_ns() - round(FORGET_S * 1e9)
        self._known = {key: row for key, row in self._known.items() if row.time_ns > oldest_ns}
        return list(self._known.values())

    def let_go(self) -> None:
        self._tail.let_go()
