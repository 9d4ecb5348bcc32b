"""A feed's thread: it waits out what is away, counts what it takes, and does not hide bad code."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from pipeline_display.feeds.feed import Batch, Feed, Reader, followed
from pipeline_display.feeds.ring import Ring
from pipeline_display.wakeup import Bell
from pipeline_queue.errors import QueueError, QueueUnavailable
from pipeline_queue.service import BROKEN

Look: TypeAlias = Batch | Exception | threading.Event
WITHIN_S = 60


class Script:
    """A reader that does what it is told, look by look, then waits for the end; at an event it waits until that is set."""

    away = (QueueError,)

    def __init__(self, stopping: threading.Event, *looks: Look) -> None:
        self._looks = iter(looks)
        self._stopping = stopping
        self.let_go_times = 0
        self.done = threading.Event()

    def look(self) -> Batch:
        told = next(self._looks, None)
        if isinstance(told, threading.Event):
            told.wait(WITHIN_S)
            told = next(self._looks, None)
        if told is None:
            self.done.set()
            self._stopping.wait(WITHIN_S)
            return Batch(bodies=[])
        if isinstance(told, Exception):
            raise told
        return told

    def let_go(self) -> None:
        self.let_go_times += 1


class Counts:
    """Figures that add up."""

    def __init__(self) -> None:
        self.seen: dict[str, float] = {}

    def _adder(self, name: str) -> Callable[[float], None]:
        def add(amount: float) -> None:
            self.seen[name] = self.seen.get(name, 0) + amount

        return add

    def __getattr__(self, name: str) -> Callable[[float], None]:
        return self._adder(name)


@contextmanager
def running(*looks: Look, figures: Counts | None = None) -> Iterator[tuple[Feed, Script, Bell]]:
    stopping, bell = threading.Event(), Bell()
    reader = Script(stopping, *looks)
    feed = Feed(_as_reader(reader), Ring(history_s=60, bytes_max=10**6), bell=bell, stopping=stopping, figures=figures)
    feed.start("test")
    try:
        yield feed, reader, bell
    finally:
        stopping.set()
        feed.join(WITHIN_S)


def _as_reader(reader: Script) -> Reader:
    return reader


def test_what_a_look_finds_is_in_the_ring_and_the_bell_rings() -> None:
    with running(Batch(bodies=[b"1", b"2"])) as (feed, reader, bell):
        assert (reader.done.wait(WITHIN_S), bell.wait(WITHIN_S)) == (True, True)
        assert [frame.body for frame in feed.ring.since(0, limit=9, bytes_max=99).frames] == [b"1", b"2"]


def test_a_whole_batch_takes_the_place_of_all_frames_before_it() -> None:
    with running(Batch(bodies=[b"1", b"2"]), Batch(bodies=[b"3"], is_whole=True)) as (feed, reader, _):
        assert reader.done.wait(WITHIN_S)
        found = feed.ring.since(0, limit=9, bytes_max=99)
    assert ([(frame.seq, frame.body) for frame in found.frames], found.start_over) == ([(2, b"3")], True)


def test_a_thumbnail_is_followed_under_the_feed_s_name_and_shares_its_status() -> None:
    gone = QueueUnavailable("sqlite:///nowhere", doing="reading", cause="no such folder")
    seen = threading.Event()
    with running(gone, seen, Batch(bodies=[b"1", b"2"], thumbnail=[b"2"])) as (feed, reader, bell):
        bell.wait(WITHIN_S)
        thumbnail = followed({"test": feed})["test/thumbnail"]
        away = thumbnail.status.away
        seen.set()
        assert reader.done.wait(WITHIN_S)
        found = thumbnail.ring.since(0, limit=9, bytes_max=99).frames
        assert (away, thumbnail.status.away, [frame.body for frame in found]) == (str(gone), "", [b"2"])


def test_a_feed_says_what_is_away_tries_again_and_says_when_it_is_back() -> None:
    gone = QueueUnavailable("sqlite:///nowhere", doing="reading", cause="no such folder")
    seen = threading.Event()
    with running(gone, seen, Batch(bodies=[b"1"])) as (feed, reader, bell):
        bell.wait(WITHIN_S)
        said = feed.status.away
        seen.set()
        assert reader.done.wait(WITHIN_S)
        assert (said, feed.status.away, reader.let_go_times) == (str(gone), "", 1)


def test_events_are_counted_by_their_fate() -> None:
    figures = Counts()
    looks = (Batch(bodies=[b"1"], events=3, dead=1, late=2, age_s=0.25), Batch(bodies=[], gaps=1))
    with running(*looks, figures=figures) as (feed, reader, _):
        assert reader.done.wait(WITHIN_S)
        status = feed.status
    assert (status.dead, status.late, status.gaps) == (1, 2, 1)
    assert figures.seen == {"count_in": 4, "count_out": 3, "count_dead": 1, "count_late": 2, "latency": 0.25}


BAD_CODE = """
import threading, time
from pipeline_display.feeds.feed import Feed
from pipeline_display.feeds.ring import Ring
from pipeline_display.wakeup import Bell

class Mistaken:
    away = ()
    def look(self): return 1 / 0
    def let_go(self): pass

Feed(Mistaken(), Ring(history_s=1, bytes_max=1), bell=Bell(), stopping=threading.Event()).start("test")
time.sleep(600)
"""


def test_bad_code_ends_the_process_so_that_it_is_started_again() -> None:
    done = subprocess.run([sys.executable, "-c", BAD_CODE], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, "ZeroDivisionError" in done.stderr) == (BROKEN, True)
