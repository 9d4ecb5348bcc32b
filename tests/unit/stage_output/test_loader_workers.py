"""Workers share types: a turn each, and the next."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from loading import NOW_NS, Queue, event, load, note, opened, rows
from pipeline_output.loader.event_table import EventTable, event_table
from pipeline_output.loader.turn import Loaded
from pipeline_output.loader.workers import Crew, load_all
from pipeline_queue.service_events import EventType

QUIET = event_table(type("Quiet", (EventType,), {"name": "quiet", "doc": "seldom"}))
BUSY = event_table(type("Busy", (EventType,), {"name": "busy", "doc": "often"}))


class Loads:
    """One worker at a busy type, of which a turn takes 10,000 messages, and a quiet one."""

    def __init__(self, folder: Path) -> None:
        self.url, self.queue = f"sqlite://{folder}/events.db", Queue([BUSY, QUIET])
        self.queue.publish([event(BUSY, seq) for seq in range(25_000)], table=BUSY, events_max=1)
        self.queue.publish([event(QUIET, seq) for seq in range(10)], table=QUIET)
        self.turns: list[tuple[str, int]] = []
        self.troubles: list[str] = []

    def told(self, table: EventTable, loaded: Loaded) -> None:
        self.turns.append((table.name, loaded.new))

    def load(self, turns_max: int) -> None:
        crew = Crew(
            size=1,
            opened=lambda: opened(self.queue.broker(), self.url, [BUSY, QUIET]),
            told=self.told,
            held_up=lambda _, trouble: self.troubles.append(str(trouble)),
            stopped=lambda: len(self.turns) >= turns_max,
        )
        load_all([BUSY, QUIET], crew)


def test_a_busy_type_lets_the_others_go_before_its_next_turn(tmp_path: Path) -> None:
    loads = Loads(tmp_path)
    loads.load(turns_max=100)
    assert loads.turns == [("busy", 10_000), ("quiet", 10), ("busy", 10_000), ("busy", 5_000)]


def test_a_turn_says_how_many_events_wait_still_and_how_many_were_late(tmp_path: Path) -> None:
    feed = Queue()
    feed.publish([note(seq, time_ns=NOW_NS - 20_000_000_000 * (seq < 3)) for seq in range(24_000)], events_max=2)
    turns = load(feed, f"sqlite://{tmp_path}/events.db")
    assert [(turn.left_events, turn.late) for turn in turns] == [(4000, 3), (0, 0)]


def test_a_worker_that_is_stopped_finishes_its_turn_and_the_next_load_goes_on_there(tmp_path: Path) -> None:
    loads = Loads(tmp_path)
    loads.load(turns_max=1)
    loads.load(turns_max=100)
    assert loads.turns == [("busy", 10_000), ("busy", 10_000), ("quiet", 10), ("busy", 5_000)]
    assert len(rows(loads.url, BUSY)) == 25_000


def test_memory_does_not_grow_with_what_waits(tmp_path: Path) -> None:
    peaks = []
    for count in (10_000, 40_000):
        url, feed = f"sqlite://{tmp_path}/{count}.db", Queue([BUSY])
        feed.publish([event(BUSY, seq) for seq in range(count)], table=BUSY, events_max=1)
        tracemalloc.start()
        load(feed, url, BUSY, chunk_rows=1000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(rows(url, BUSY)) == count
    assert peaks[1] < 1.2 * peaks[0]
