"""The loop around a source: what reaches the queue, what the ledger says, and what an outage does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from pipeline_input.errors import UnknownSource
from pipeline_input.produce import KEPT_EVENTS_MAX, Outlet, run
from pipeline_input.sources import SOURCES, source
from pipeline_queue.brokers import Message
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import REPEATED, decode_all
from pipeline_queue.errors import QueueUnavailable
from pipeline_queue.events import Event
from pipeline_queue.ledger import FileLedger, read_ledgers
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.settings import filled
from pipeline_queue.topics import RANDOM_NUMBERS

SECOND_NS = 1_000_000_000
NOON_NS = 1_795_348_800 * SECOND_NS


class Outage(MemoryBroker):
    """A queue that is away from `start_s` to `end_s` after noon; if it `accepts`, it takes what it does not answer."""

    def __init__(self, clock: ManualClock, start_s: float, end_s: float, *, accepts: bool = False) -> None:
        super().__init__(clock=clock)
        self._clock = clock
        self._span_ns = (NOON_NS + round(start_s * SECOND_NS), NOON_NS + round(end_s * SECOND_NS))
        self._accepts = accepts

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        away = self._span_ns[0] <= self._clock.now_ns() < self._span_ns[1]
        if self._accepts or not away:
            super().publish(topic, messages)
        if away:
            raise QueueUnavailable("memory://test", doing="publishing", cause="away")


class Run:
    """A producer of random numbers from noon on, for some seconds of the manual clock."""

    def __init__(self, folder: Path, *, outage: tuple[float, float] = (0, 0), accepts: bool = False) -> None:
        self.folder = folder
        self.clock = ManualClock(NOON_NS)
        self.broker = Outage(self.clock, *outage, accepts=accepts)
        self.broker.create([RANDOM_NUMBERS])
        self.service = Service(ServiceOptions(name="input-random-numbers", stage="input", queue_url="memory://test"))

    def go(self, seconds: float, **given: object) -> Run:
        found = SOURCES["random-numbers"]
        end_ns = NOON_NS + round(seconds * SECOND_NS)
        with closing(FileLedger(self.folder, "p")) as ledger:
            outlet = Outlet(producer="p", clock=self.clock, broker=self.broker, service=self.service, ledger=ledger)
            run(found, filled(found.settings, **given), outlet, lambda: self.clock.now_ns() >= end_ns)
        return self

    @property
    def events(self) -> list[Event]:
        records = self.broker.read("random-numbers", dict.fromkeys(range(4), 0), limit=10**6)
        return decode_all(RANDOM_NUMBERS, records).events

    @property
    def repeated(self) -> list[int]:
        """The sequence numbers of what lies in messages that say they were sent again."""
        records = self.broker.read("random-numbers", dict.fromkeys(range(4), 0), limit=10**6)
        again = [record for record in records if REPEATED in record.headers]
        return [event.seq for event in decode_all(RANDOM_NUMBERS, again).events]

    def seqs(self, what: str) -> list[int]:
        entries = [entry for entry in read_ledgers(self.folder) if entry.what == what]
        return [seq for entry in entries for seq in range(entry.first_seq, entry.last_seq + 1)]

    def figure(self, name: str) -> float:
        lines = dict(line.split() for line in self.service.metrics().decode().splitlines() if line[0] != "#")
        return float(lines[name])


@pytest.mark.parametrize("rate", [100, 1000, 1001, 100_000])
def test_all_that_is_made_reaches_the_queue_in_order(tmp_path: Path, rate: int) -> None:
    events = Run(tmp_path).go(3, rate=rate).events
    assert [event.seq for event in events] == list(range(3 * rate))


@pytest.mark.parametrize("rate", [100, 100_000])
def test_the_ledger_has_acknowledged_exactly_what_is_on_the_queue(tmp_path: Path, rate: int) -> None:
    done = Run(tmp_path).go(2, rate=rate)
    assert done.seqs("acknowledged") == [event.seq for event in done.events] == done.seqs("made")


def test_slow_numbers_travel_one_a_message_and_fast_ones_in_blocks(tmp_path: Path) -> None:
    slow, fast = Run(tmp_path / "slow").go(1, rate=1000), Run(tmp_path / "fast").go(1, rate=1001)
    counts = [sum(run.broker.end_offsets("random-numbers").values()) for run in (slow, fast)]
    assert counts == [1000, 20]  # a block each tick of 50 ms


def test_an_outage_loses_nothing_and_keeps_the_order(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(1, 6)).go(10, rate=1000)
    assert [event.seq for event in done.events] == list(range(10_000))


def test_during_an_outage_nothing_is_acknowledged(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(1, 99)).go(3, rate=100)
    assert (done.seqs("acknowledged"), done.seqs("made")) == (list(range(95)), list(range(300)))


def test_after_an_outage_each_second_has_its_exact_count(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(1.3, 8.2)).go(12, rate=999)
    counts = Counter((event.time_ns - NOON_NS) // SECOND_NS for event in done.events)
    assert counts == dict.fromkeys(range(12), 999)


def test_an_outage_longer_than_what_is_kept_makes_the_source_wait_and_loses_nothing(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(1, 60)).go(70, rate=1000)  # 59,000 events, of which 20,000 are kept
    assert [event.seq for event in done.events] == list(range(70_000))


def test_no_more_is_kept_than_the_limit_and_a_batch(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(0, 99)).go(60, rate=1000)
    assert len(done.seqs("made")) < KEPT_EVENTS_MAX + 1000


def test_what_comes_after_its_lateness_is_counted_as_late(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(1, 30)).go(31, rate=100)
    behind = [e for e in done.events if e.time_ns < NOON_NS + 19 * SECOND_NS and e.seq >= 95]
    # attempts go by the back-off, so the queue is found again up to 5 s after it came back
    assert len(behind) <= done.figure("pipeline_events_late_total") <= len(behind) + 600


def test_an_attempt_of_unknown_outcome_may_put_events_there_twice_and_the_ledger_says_which(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(1, 1.2), accepts=True).go(3, rate=100)
    twice = [seq for seq, count in Counter(event.seq for event in done.events).items() if count > 1]
    assert twice == done.seqs("repeated") == [95, 96, 97, 98, 99]


def test_without_an_outage_the_ledger_says_that_nothing_was_repeated(tmp_path: Path) -> None:
    assert Run(tmp_path).go(3, rate=100).seqs("repeated") == []


def test_only_later_attempts_say_that_they_are_repeats(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(1, 1.2), accepts=True).go(3, rate=100)
    assert (done.repeated, len(done.events)) == ([95, 96, 97, 98, 99], 305)


def test_every_later_attempt_says_so_and_what_waited_behind_it_does_not(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(1, 4), accepts=True).go(6, rate=2000)  # 0.5, 1 and 2 s until the next attempt
    tried = range(1900, 2000)  # the tick of 50 ms that met the outage
    assert (Counter(done.repeated), len(done.events)) == (dict.fromkeys(tried, 3), 12_000 + 300)


def test_what_never_reached_the_queue_the_first_time_comes_as_a_repeat_only(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(1, 1.2)).go(3, rate=100)
    assert (done.repeated, [event.seq for event in done.events]) == ([95, 96, 97, 98, 99], list(range(300)))


def test_asked_to_stop_it_publishes_what_it_has_made(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(1, 2)).go(2.1, rate=100)  # stops within the back-off
    assert done.seqs("acknowledged") == done.seqs("made")


def test_the_figures_count_what_was_made_and_what_was_acknowledged(tmp_path: Path) -> None:
    done = Run(tmp_path, outage=(1, 99)).go(2, rate=100)
    figures = [done.figure(f"pipeline_{name}") for name in ("events_in_total", "events_out_total", "lag_events")]
    assert figures == [200, 95, 105]


def test_an_unknown_source_names_the_nearest() -> None:
    with pytest.raises(UnknownSource, match="did you mean `monitoring`"):
        source("monitor")
