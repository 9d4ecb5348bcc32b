"""The census's producer as a process of its own: run twice, killed between its topics, stopped, kept waiting."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pipeline_queue.brokers import open_broker
from pipeline_queue.codec import decode_all
from pipeline_queue.ledger import read_ledgers
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION, HEARTBEATS, TOPICS, Topic
from waiting import Stopwatch

WITHIN_S = 120
WHOLE = {CENSUS_POPULATION: 4242, CENSUS_INCOME: 520}


class Folder:
    """A queue and a ledger, and the producers that were started on them."""

    def __init__(self, path: Path) -> None:
        self.path, self.url = path, f"sqlite://{path}/queue"
        self._started: list[subprocess.Popen[str]] = []
        self.create()

    def create(self) -> None:
        with closing(open_broker(self.url)) as broker:
            broker.create(TOPICS.values())

    def start(self) -> subprocess.Popen[str]:
        settings = {"QUEUE_URL": self.url, "LEDGER_DIR": f"{self.path}/ledger"}
        command = [sys.executable, "-m", "pipeline_cli", "produce", "census"]
        process = subprocess.Popen(command, env=os.environ | settings, stderr=subprocess.PIPE, text=True)
        self._started.append(process)
        return process

    def run(self) -> tuple[int, str]:
        process = self.start()
        said = process.communicate(timeout=WITHIN_S)[1]
        return process.returncode, said

    def end(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()

    def counts(self, topic: Topic) -> Counter[tuple[str, int]]:
        """How often the topic holds each event."""
        events = self.events(topic)
        return Counter((event.producer, event.seq) for event in events)

    def events(self, topic: Topic) -> list:
        with closing(open_broker(self.url)) as broker:
            positions, ends, found = broker.begin_offsets(topic.name), broker.end_offsets(topic.name), []
            while any(positions[partition] < end for partition, end in ends.items()):
                records = broker.read(topic.name, positions, wait_s=1)
                positions |= {record.partition: record.offset + 1 for record in records}
                found += decode_all(topic, records).events
            return found

    def holds_each_once(self, topic: Topic) -> bool:
        counts = self.counts(topic)
        return len(counts) == WHOLE[topic] and set(counts.values()) == {1}

    def acknowledged(self) -> Counter[tuple[str, int]]:
        entries = [entry for entry in read_ledgers(self.path / "ledger") if entry.what == "acknowledged"]
        return Counter((each.producer, seq) for each in entries for seq in range(each.first_seq, each.last_seq + 1))

    @contextlib.contextmanager
    def locked(self, topic: Topic) -> Iterator[None]:
        """Nobody can publish on the topic; its readers go on."""
        with closing(sqlite3.connect(self.path / f"queue/{topic.name}.db", isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            yield
            file.execute("ROLLBACK")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path)
    yield made
    made.end()


def until(holds: object) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_run_twice_it_ends_well_twice_and_every_event_is_there_once(folder: Folder) -> None:
    assert [folder.run() for _ in range(2)] == [(0, "")] * 2
    assert [folder.holds_each_once(topic) for topic in WHOLE] == [True, True]
    assert folder.acknowledged() == folder.counts(CENSUS_POPULATION) + folder.counts(CENSUS_INCOME)


def test_killed_in_the_middle_and_run_again_it_sends_exactly_what_is_missing(folder: Folder) -> None:
    with folder.locked(CENSUS_INCOME):
        producer = folder.start()
        until(lambda: folder.acknowledged().total() == WHOLE[CENSUS_POPULATION])
        producer.kill()
        producer.wait()
    before = sum(folder.acknowledged().values())
    assert (before, folder.counts(CENSUS_INCOME)) == (WHOLE[CENSUS_POPULATION], Counter())
    assert (folder.run()[0], [folder.holds_each_once(topic) for topic in WHOLE]) == (0, [True, True])


def test_two_at_once_leave_every_event_there(folder: Folder) -> None:
    producers = [folder.start() for _ in range(2)]
    assert [producer.wait(WITHIN_S) for producer in producers] == [0, 0]
    assert [len(folder.counts(topic)) for topic in WHOLE] == list(WHOLE.values())


def test_it_waits_for_a_queue_that_is_away_and_goes_on_when_it_is_back(folder: Folder) -> None:
    in_the_way = take_away(folder)
    producer = folder.start()
    assert "did not answer" in first_words(producer)
    in_the_way.rmdir()
    folder.create()
    assert (producer.wait(WITHIN_S), folder.holds_each_once(CENSUS_POPULATION)) == (0, True)


def test_stopped_before_the_end_it_says_so_and_does_not_end_well(folder: Folder) -> None:
    take_away(folder)
    producer = folder.start()
    first_words(producer)
    stopwatch = Stopwatch()
    producer.send_signal(signal.SIGTERM)
    said = producer.communicate(timeout=WITHIN_S)[1]
    assert (producer.returncode, stopwatch.seconds() < 5) == (1, True)
    assert said.splitlines()[-1] == (
        "stopped before the queue had all of `census`; `pipeline produce census` sends the rest"
    )


def take_away(folder: Folder) -> Path:
    """Put a folder where the topic's file was."""
    for path in (folder.path / "queue").glob(f"{CENSUS_POPULATION.name}.db*"):
        path.unlink()
    in_the_way = folder.path / f"queue/{CENSUS_POPULATION.name}.db"
    in_the_way.mkdir()
    return in_the_way


def first_words(producer: subprocess.Popen[str]) -> str:
    assert producer.stderr is not None
    return producer.stderr.readline()


def test_its_last_heartbeat_says_that_it_has_finished(folder: Folder) -> None:
    folder.run()
    last = folder.events(HEARTBEATS)[-1]
    assert (last.service, last.healthy, last.doing) == (
        "input-census",
        True,
        "finished: the queue has all 4,762 events",
    )
    assert (last.events_out, last.lag) == (4762, 0)
