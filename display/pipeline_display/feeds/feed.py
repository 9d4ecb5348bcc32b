"""A feed: a reader in a thread of the system, and the ring that keeps what it makes.

In:   a reader, whose `look` blocks for a while and returns the bodies of new frames.
Out:  a ring with those frames, a second one with the few that thumbnails are drawn from, a bell rung for each look that
      made some, and what the page should know of the feed.
A broker or store that is away makes the feed wait and try again; any other error is bad code, and ends the process.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from pipeline_queue.service import essential_thread

from pipeline_display.feeds.ring import Ring
from pipeline_display.wakeup import Bell

RETRY_S = 0.5
"""Between two tries to reach what is away: soon enough to be live again within a second."""
THUMBNAIL_S = 120.0
THUMBNAIL_BYTES_MAX = 256 * 1024
"""The most that a thumbnail costs a page that opens; two minutes of ten numbers a second are 60 kB."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one look found: frames to keep, events by fate, and the age of the newest event when it was taken in.

    A batch that `is_whole` holds all that a page needs: the frames before it may be forgotten.
    """

    bodies: list[bytes]
    is_whole: bool = False
    thumbnail: list[bytes] = field(default_factory=list)
    """Frames for the demo's picture on the index."""
    events: int = 0
    dead: int = 0
    late: int = 0
    gaps: int = 0
    lag: int = 0
    age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a page is told of its feed; `away` says in words what does not answer, empty if all is well."""

    away: str = ""
    dead: int = 0
    late: int = 0
    gaps: int = 0


class Reader(Protocol):
    away: tuple[type[Exception], ...]
    """What `look` raises while the place it reads from does not answer; it can be asked again."""

    def look(self) -> Batch:
        """Wait a while for news."""

    def let_go(self) -> None:
        """Close what is open; the next look opens it again and goes on where it was."""


class Figures(Protocol):
    """The service's counters; any thread may count."""

    def count_in(self, n: int = 1) -> None: ...
    def count_out(self, n: int = 1) -> None: ...
    def count_dead(self, n: int = 1) -> None: ...
    def count_late(self, n: int = 1) -> None: ...
    def latency(self, seconds: float) -> None: ...


class Followed(Protocol):
    """What a page can follow."""

    @property
    def ring(self) -> Ring: ...
    @property
    def status(self) -> Status: ...


class Feed:
    """See the module. `start` once; the thread ends after the look during which `stopping` was set."""

    def __init__(
        self, reader: Reader, ring: Ring, *, bell: Bell, stopping: threading.Event, figures: Figures | None = None
    ) -> None:
        self.ring = ring
        self.thumbnail = Ring(history_s=THUMBNAIL_S, bytes_max=THUMBNAIL_BYTES_MAX)
        self.status = Status()
        self.lag = 0
        self.events = 0
        self._last_round_s = time.monotonic()
        self._reader = reader
        self._bell = bell
        self._figures = figures
        self._stopping = stopping
        self._thread = essential_thread(self._run)

    def start(self, name: str) -> None:
        self._thread.name = f"feed {name}"
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def silent_s(self) -> float:
        """How long ago the reader last came back from a look that reached its place."""
        return time.monotonic() - self._last_round_s

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._keep(self._reader.look())
            except self._reader.away as error:
                self._note_away(str(error))
                self._reader.let_go()
                self._stopping.wait(RETRY_S)
        self._reader.let_go()

    def _note_away(self, why: str) -> None:
        if not self.status.away:
            log.warning("%s: %s", self._thread.name, why)
        self._tell(away=why)

    def _keep(self, batch: Batch) -> None:
        now_ns = time.time_ns()
        if batch.is_whole:
            self.ring.replace(batch.bodies, made_ns=now_ns)
        else:
            for body in batch.bodies:
                self.ring.append(body, made_ns=now_ns)
        for body in batch.thumbnail:
            self.thumbnail.append(body, made_ns=now_ns)
        if batch.bodies or batch.thumbnail:
            self._bell.ring()
        self._last_round_s = time.monotonic()
        self._count(batch)

    def _count(self, batch: Batch) -> None:
        if self.status.away:
            log.info("%s goes on", self._thread.name)
        self.lag = batch.lag
        self.events += batch.events
        status = self.status
        self._tell(away="", dead=status.dead + batch.dead, late=status.late + batch.late, gaps=status.gaps + batch.gaps)
        if self._figures and batch.events + batch.dead:
            self._figures.count_in(batch.events + batch.dead)
            self._figures.count_out(batch.events)
            self._figures.count_dead(batch.dead)
            self._figures.count_late(batch.late)
        if self._figures and batch.age_s is not None:
            self._figures.latency(batch.age_s)

    def _tell(self, **changes: str | int) -> None:
        status = replace(self.status, **changes)
        if status != self.status:
            self.status = status
            self._bell.ring()


class ThumbnailOf:
    """A feed's thumbnail, to be followed like a feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.ring = feed.thumbnail

    @property
    def status(self) -> Status:
        return self._feed.status


Feeds = Mapping[str, Feed]


def followed(feeds: Feeds) -> Mapping[str, Followed]:
    """All that a page may ask for by name: each feed, and its thumbnail under its name with `/thumbnail`."""
    return {**feeds, **{f"{name}/thumbnail": ThumbnailOf(feed) for name, feed in feeds.items()}}
