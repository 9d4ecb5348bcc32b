"""The services' heartbeats as a feed.

In:   the topic `heartbeats`.
Out:  frames {"rows": heartbeats}: each as it comes, and once a second the newest of every service that was there within
      `FORGET_S`, so that a page opened now also learns who has stopped.
"""

from __future__ import annotations

import time

import msgspec
from pipeline_queue.errors import QueueError
from pipeline_queue.events import Event
from pipeline_queue.topics import HEARTBEATS

from pipeline_display.feeds.feed import Batch
from pipeline_display.feeds.topic import Tail

FORGET_S = 600.0
ALL_EVERY_S = 1.0


class ServicesReader:
    """See the module; one thread uses it."""

    away = (QueueError,)

    def __init__(self, url: str) -> None:
        self._tail = Tail(url, HEARTBEATS, history_s=FORGET_S)
        self._newest: dict[str, Event] = {}
        self._all_due_s = 0.0

    def look(self) -> Batch:
        taken = self._tail.take()
        rows = self._told(taken.decoded.events)
        return Batch(bodies=[msgspec.json.encode({"rows": rows})] if rows else [], gaps=taken.gaps)

    def let_go(self) -> None:
        self._tail.let_go()

    def _told(self, heartbeats: list[Event]) -> list[Event]:
        self._newest.update((each.service, each) for each in heartbeats)
        if time.monotonic() < self._all_due_s:
            return heartbeats
        self._all_due_s = time.monotonic() + ALL_EVERY_S
        oldest_ns = time.time_ns() - round(FORGET_S * 1e9)
        self._newest = {name: each for name, each in self._newest.items() if each.time_ns > oldest_ns}
        return list(self._newest.values())
