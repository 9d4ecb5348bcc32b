"""Frames to the pages that follow them: each once, in order, no faster than a page takes them.

In:   feeds, and pages that say what they follow, from which number on, and when they have drawn messages.
Out:  for each page at most one message a round and `tick_s`, {"parts": [...]}, one part per feed with news:
      {"feed", "epoch", "seq" of its first frame, "frames", "start_over", "status"}. One page's news hold up no other's.
A page holds `CREDIT` messages at most that it has not drawn; then it gets none, costs nothing, and is caught up from
the ring later, or told to start over if the ring has moved on. Pages at the same place share one message, encoded once.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from pipeline_display.feeds.feed import Followed, Status

CREDIT = 4
"""Messages under way to one page. It acknowledges two at a time: over a round trip of 50 ms that still lets 40 a second pass."""
FRAMES_PER_MESSAGE_MAX = 200
BYTES_PER_MESSAGE_MAX = 256 * 1024
"""Together with CREDIT the most that a page which stopped reading keeps in memory: 1 MiB."""

Send = Callable[[Mapping[str, Any], list[str]], None]


class Follow(msgspec.Struct, frozen=True, kw_only=True):
    """A page's wish: a feed, and where it was if it followed it before."""

    feed: str
    epoch: str = ""
    seq: int = 0


@dataclass(slots=True, kw_only=True)
class Place:
    """Where a page is in one feed."""

    seq: int
    start_over: bool
    told: Status | None = None


@dataclass(slots=True)
class Page:
    """A connected page."""

    places: dict[str, Place] = field(default_factory=dict)
    undrawn: int = 0
    sent_at: float = -math.inf
    """Monotonic, in seconds."""


class Delivery:
    """Any thread may call `follow`, `drawn` and `leave`; one calls `deliver`, again and again."""

    def __init__(
        self,
        feeds: Mapping[str, Followed],
        send: Send,
        *,
        tick_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tick_s` is the least time between two messages to one page."""
        self._feeds = feeds
        self._send = send
        self._tick_s = tick_s
        self._clock = clock
        self._pages: dict[str, Page] = {}
        self._lock = threading.Lock()

    @property
    def pages(self) -> int:
        """How many pages follow something."""
        return len(self._pages)

    def follow(self, page_id: str, wishes: Iterable[Follow]) -> list[Mapping[str, Any]]:
        """Begin to deliver; says of each known feed how much of it there is."""
        known = [wish for wish in wishes if wish.feed in self._feeds]
        with self._lock:
            self._pages[page_id] = Page(places={wish.feed: self._place(wish) for wish in known})
        return [self._extent(wish.feed) for wish in known]

    def drawn(self, page_id: str, messages: int = 1) -> bool:
        """The page has drawn so many messages, so it may get others; True if it could get none before."""
        with self._lock:
            page = self._pages.get(page_id)
            if page is None:
                return False
            had_no_credit = page.undrawn >= CREDIT
            page.undrawn = max(0, page.undrawn - max(1, messages))
            return had_no_credit

    def leave(self, page_id: str) -> None:
        with self._lock:
            self._pages.pop(page_id, None)

    def deliver(self) -> bool:
        """One round; True if some page that has credit is still behind, or is not to have a message yet."""
        now = self._clock()
        with self._lock:
            groups = self._grouped(now)
            messages = [(self._message(asked), pages) for asked, pages in groups.items()]
            messages = [(parts, pages) for parts, pages in messages if parts]
            for parts, pages in messages:
                self._note(parts, pages, now)
        for parts, pages in messages:
            self._send({"parts": parts}, pages)
        with self._lock:
            return any(self._is_behind(page) for page in self._pages.values())

    def _place(self, wish: Follow) -> Place:
        ring = self._feeds[wish.feed].ring
        if wish.epoch == ring.epoch:
            return Place(seq=wish.seq, start_over=False)
        return Place(seq=ring.begin, start_over=bool(wish.epoch))

    def _extent(self, feed: str) -> Mapping[str, Any]:
        ring = self._feeds[feed].ring
        return {"feed": feed, "epoch": ring.epoch, "begin": ring.begin, "end": ring.end}

    def _grouped(self, now: float) -> dict[tuple[Any, ...], list[str]]:
        """Pages with credit whose time has come, by what they need next."""
        groups: dict[tuple[Any, ...], list[str]] = {}
        for page_id, page in self._pages.items():
            if page.undrawn < CREDIT and now - page.sent_at >= self._tick_s:
                need = tuple((feed, place.seq, place.start_over, place.told) for feed, place in page.places.items())
                groups.setdefault(need, []).append(page_id)
        return groups

    def _message(self, need: Sequence[tuple[str, int, bool, Status | None]]) -> list[dict[str, Any]]:
        parts = (self._part(*each) for each in need)
        return [part for part in parts if part is not None]

    def _part(self, feed: str, seq: int, start_over: bool, told: Status | None) -> dict[str, Any] | None:
        source = self._feeds[feed]
        status = source.status
        found = source.ring.since(seq, limit=FRAMES_PER_MESSAGE_MAX, bytes_max=BYTES_PER_MESSAGE_MAX)
        if not found.frames and not found.start_over and status == told:
            return None
        return {
            "feed": feed,
            "epoch": source.ring.epoch,
            "seq": found.frames[0].seq if found.frames else source.ring.begin if found.start_over else seq,
            "frames": [msgspec.Raw(frame.body) for frame in found.frames],
            "start_over": start_over or found.start_over,
            "status": asdict(status),
        }

    def _note(self, parts: list[dict[str, Any]], pages: list[str], now: float) -> None:
        for page in (self._pages[page_id] for page_id in pages):
            page.undrawn += 1
            page.sent_at = now
            for part in parts:
                place = page.places[part["feed"]]
                place.seq = part["seq"] + len(part["frames"])
                place.start_over = False
                place.told = Status(**part["status"])

    def _is_behind(self, page: Page) -> bool:
        behind = any(place.seq < self._feeds[feed].ring.end for feed, place in page.places.items())
        return behind and page.undrawn < CREDIT
