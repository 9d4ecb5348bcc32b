"""The places that send no heartbeats: the queue and the stores, as the feeds that read them find them.

In:   the other feeds. Out: a frame whenever something changed:
      {"queue": {"queue": place}, "output": {feed: place}}, a place being {"name", "away", "rate", "unit"}.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pipeline_display.feeds.feed import Batch, Feed

LOOK_EVERY_S = 1.0


class PlacesReader:
    """See the module. `queue_feed` speaks for the queue, each of `store_feeds` for its store of that name."""

    away: tuple[type[Exception], ...] = ()

    def __init__(
        self,
        queue_feed: Feed,
        store_feeds: Mapping[str, Feed],
        names: Mapping[str, str],
        *,
        sleep: Callable[[float], Any] = time.sleep,
    ) -> None:
        self._names = names
        self._queue_feed = queue_feed
        self._store_feeds = store_feeds
        self._sleep = sleep
        self._told = b""
        self._counted = dict.fromkeys(store_feeds, 0)
        self._looked_s = time.monotonic()

    def look(self) -> Batch:
        self._sleep(LOOK_EVERY_S)
        body = msgspec.json.encode({"queue": {"queue": self._queue()}, "output": self._stores()})
        changed, self._told = body != self._told, body
        return Batch(bodies=[body] if changed else [])

    def let_go(self) -> None:
        """Nothing is open."""

    def _queue(self) -> Mapping[str, Any]:
        return {"name": "queue", "away": self._queue_feed.status.away, "rate": None, "unit": ""}

    def _stores(self) -> Mapping[str, Any]:
        now_s = time.monotonic()
        passed_s, self._looked_s = now_s - self._looked_s, now_s
        counts = {name: feed.events for name, feed in self._store_feeds.items()}
        rates = {name: round((count - self._counted[name]) / passed_s, 1) for name, count in counts.items()}
        self._counted = counts
        return {
            name: {"name": self._names[name], "away": feed.status.away, "rate": rates[name], "unit": "rows/s"}
            for name, feed in self._store_feeds.items()
        }
