"""A dataset on its way: what the queue holds after any number of runs, outages and attempts of unknown outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from pipeline_input.completion import EVENTS_PER_PUBLISH, complete
from pipeline_input.outlet import Outlet
from pipeline_input.source import Part
from pipeline_queue.brokers import Message
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import blocks, decode_all
from pipeline_queue.errors import QueueUnavailable
from pipeline_queue.ledger import FileLedger, read_ledgers
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.topics import CENSUS_POPULATION

NOON_NS = 1_795_348_800_000_000_000
COUNT = 3 * EVENTS_PER_PUBLISH + 7
PART = Part(
    topic=CENSUS_POPULATION,
    producer="p",
    rows=[{"year": 2000, "sex": "female", "age": number % 101, "people": number} for number in range(COUNT)],
)


class Troubled(MemoryBroker):
    """A queue that fails the publishes of the given numbers; of those it says nothing of, it may have taken some."""

    def __init__(self, clock: ManualClock, fails: dict[int, bool]) -> None:
        super().__init__(clock=clock)
        self.create([CENSUS_POPULATION])
        self.attempts, self.fails = 0, fails
        """By the number of the attempt: whether it took the events before it fell silent."""

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        number, self.attempts = self.attempts, self.attempts + 1
        if self.fails.get(number, True):
            super().publish(topic, messages)
        if number in self.fails:
            raise QueueUnavailable("memory://test", doing="publishing", cause="away")


class Runs:
    """Runs of the loop over one queue and one folder of ledgers."""

    def __init__(self, folder: Path, fails: dict[int, bool] | None = None) -> None:
        self.folder, self.clock = folder, ManualClock(NOON_NS)
        self.broker = Troubled(self.clock, fails or {})
        self.service = Service(ServiceOptions(name="input-census", stage="input", queue_url="memory://test"))

    def go(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        with closing(FileLedger(self.folder, "p")) as ledger:
            outlet = Outlet(producer="p", clock=self.clock, broker=self.broker, service=self.service, ledger=ledger)
            return complete(PART, outlet, stopped)

    @property
    def counts(self) -> Counter[int]:
        """How often each row is on the queue."""
        records = self.broker.read(CENSUS_POPULATION.name, {0: 0}, limit=10**6)
        return Counter(event.seq for event in decode_all(CENSUS_POPULATION, records).events if event.producer == "p")

    def seqs(self, what: str) -> list[int]:
        entries = [entry for entry in read_ledgers(self.folder) if entry.what == what]
        return [seq for entry in entries for seq in range(entry.first_seq, entry.last_seq + 1)]

    def figure(self, name: str) -> float:
        lines = dict(line.split() for line in self.service.metrics().decode().splitlines() if line[0] != "#")
        return float(lines[name])


ONCE_EACH = Counter(range(COUNT))


def test_a_run_puts_every_row_there_once_and_notes_it(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    assert (runs.go(), runs.counts, runs.seqs("acknowledged")) == (True, ONCE_EACH, list(range(COUNT)))


def test_a_second_run_publishes_nothing(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    runs.go()
    attempts = runs.broker.attempts
    assert (runs.go(), runs.broker.attempts, runs.seqs("made")) == (True, attempts, list(range(COUNT)))


@pytest.mark.parametrize("blocks_before", [0, 1, 3])
def test_a_run_that_was_cut_off_is_completed_by_the_next(tmp_path: Path, blocks_before: int) -> None:
    runs = Runs(tmp_path)
    cut_off = runs.go(lambda: runs.broker.attempts >= blocks_before)
    there = len(runs.counts)
    assert (cut_off, there) == (False, blocks_before * EVENTS_PER_PUBLISH)
    assert (runs.go(), runs.counts) == (True, ONCE_EACH)


def test_exactly_the_holes_are_filled_however_they_lie(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    for seqs in (range(3, 9), range(20, 21), range(COUNT - 2, COUNT)):
        runs.broker.publish(CENSUS_POPULATION.name, blocks(CENSUS_POPULATION, PART.events(seqs, NOON_NS)))
    runs.go()
    expected = sorted({*range(COUNT)} - {*range(3, 9), 20, COUNT - 2, COUNT - 1})
    assert (runs.counts, runs.seqs("made")) == (ONCE_EACH, expected)


def test_an_attempt_that_had_arrived_is_not_repeated_and_counts_as_acknowledged(tmp_path: Path) -> None:
    runs = Runs(tmp_path, fails={1: True})
    assert (runs.go(), runs.counts) == (True, ONCE_EACH)
    assert (sorted(runs.seqs("acknowledged")), runs.seqs("repeated")) == (list(range(COUNT)), [])


def test_an_attempt_that_had_not_arrived_is_repeated_and_the_ledger_says_which(tmp_path: Path) -> None:
    runs = Runs(tmp_path, fails={1: False, 2: False})
    assert (runs.go(), runs.counts) == (True, ONCE_EACH)
    second_block = range(EVENTS_PER_PUBLISH, 2 * EVENTS_PER_PUBLISH)
    assert (set(runs.seqs("repeated")), sorted(runs.seqs("acknowledged"))) == (set(second_block), list(range(COUNT)))


def test_between_attempts_it_waits_longer_each_time(tmp_path: Path) -> None:
    runs = Runs(tmp_path, fails=dict.fromkeys(range(6), False))
    runs.go()
    assert (runs.clock.now_ns() - NOON_NS) / 1e9 == 0.5 + 1 + 2 + 5 + 5 + 5


def test_stopped_while_the_queue_is_away_it_ends_and_says_that_it_is_not_done(tmp_path: Path) -> None:
    runs = Runs(tmp_path, fails=dict.fromkeys(range(100), False))
    assert runs.go(lambda: runs.clock.now_ns() > NOON_NS + 20 * 10**9) is False


def test_rows_of_another_producer_and_garbage_do_not_count_as_there(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    other = Part(topic=CENSUS_POPULATION, producer="other", rows=PART.rows)
    runs.broker.publish(CENSUS_POPULATION.name, blocks(CENSUS_POPULATION, other.events(range(9), NOON_NS)))
    runs.broker.publish(CENSUS_POPULATION.name, [Message(value=b'{"producer":"p","seq":1}')])
    assert (runs.go(), runs.counts) == (True, ONCE_EACH)


def test_the_figures_count_each_row_once_and_end_without_lag(tmp_path: Path) -> None:
    runs = Runs(tmp_path, fails={1: False, 2: True})
    runs.go()
    figures = [runs.figure(f"pipeline_{name}") for name in ("events_in_total", "events_out_total", "lag_events")]
    assert figures == [COUNT, COUNT, 0]
