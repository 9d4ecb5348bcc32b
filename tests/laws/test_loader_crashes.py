"""A loader that is killed at any step, and a database that goes away, neither lose an event nor load one twice.

A crash is an exception at a named step, after which the connection is dropped as a kill drops it, and nothing of that loader is
used again. What is in the table is compared with what was published, by id and in both directions.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from loading import NOTE, Queue, load, note, opened, rows, stored
from pipeline_output.errors import DatabaseUnavailable
from pipeline_output.loader import open_database
from pipeline_output.loader.rounds import Place, Rounds
from pipeline_output.loader.schedule import Schedule
from pipeline_output.loader.turn import Loading, Step, take_turn
from pipeline_queue import dead_letters
from pipeline_queue.brokers import Message, open_broker
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.codec import blocks
from pipeline_queue.errors import QueueUnavailable
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.topics import DEAD_LETTERS
from postgres_cluster import Cluster, running_postgres

STEPS = get_args(Step)
CHILD = """
import os, signal, sys
from loading import NOTE, opened
from pipeline_output.loader.turn import take_turn
from pipeline_queue.brokers import Message, open_broker
from pipeline_queue.brokers.memory import MemoryBroker

queue_url, database_url, fatal, countdown = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

def step(name):
    global countdown
    countdown -= name == fatal
    if countdown < 0:
        os.kill(os.getpid(), signal.SIGKILL)

loading = opened(open_broker(queue_url), database_url, chunk_rows=50, step=step)
while take_turn(loading, NOTE).has_more:
    pass
"""


class Crash(BaseException):
    """Nobody catches it."""


def crashing_at(fatal: Step, countdown: int, crash: Callable[[], None]) -> Callable[[Step], None]:
    """Of the step `fatal` so many pass."""
    left = [countdown]

    def step(name: Step) -> None:
        if name == fatal:
            left[0] -= 1
        if left[0] < 0:
            crash()
            raise Crash

    return step


@pytest.mark.parametrize("seed", range(200 if "PIPELINE_SOAK" in os.environ else 20))
def test_a_crash_at_any_step_neither_loses_nor_doubles(database_url: str, seed: int) -> None:
    chance, feed, published = random.Random(seed), Queue(), 0
    for _ in range(8):
        start = max(0, published - chance.randrange(30))  # some of what was sent is sent again
        published = start + chance.randrange(30, 300)
        feed.publish(
            [note(seq, order=kind(seq)) for seq in range(start, published)], events_max=chance.randrange(1, 90)
        )
        crash(feed, database_url, chance)
    load(feed, database_url, chunk_rows=50)
    assert rows(database_url) == [stored(note(seq)) for seq in range(published) if kind(seq) == "x"]
    found = [letter.raw for letter in dead_letters.letters(feed.broker())]
    assert {number_of(raw) for raw in found} == {seq for seq in range(published) if kind(seq) != "x"}


def kind(seq: int) -> str:
    return "\0" if seq % 97 == 96 else "x"


def number_of(raw: bytes) -> int:
    return int(raw.partition(b'"size":')[2].partition(b",")[0])


def crash(feed: Queue, url: str, chance: random.Random) -> None:
    """A loader that gets some way, and is killed."""
    loading = opened(feed.broker(), url, chunk_rows=50)
    step = crashing_at(chance.choice(STEPS), chance.randrange(3), loading.database.close)
    with closing(loading), suppress(Crash, DatabaseUnavailable):
        while (loaded := take_turn(replace(loading, step=step), NOTE)) and loaded.has_more:
            pass


@pytest.mark.parametrize("fatal", STEPS)
def test_a_process_that_is_killed_at_a_step_neither_loses_nor_doubles(
    database_url: str, tmp_path: Path, fatal: Step
) -> None:
    queue_url = f"sqlite://{tmp_path}/queue"
    with closing(open_broker(queue_url)) as broker:
        broker.create([NOTE.topic, DEAD_LETTERS])
        events = [note(seq, time_ns=time.time_ns()) for seq in range(300)]
        broker.publish(NOTE.topic.name, blocks(NOTE.topic, events, events_max=20))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(
        [sys.executable, "-c", CHILD, queue_url, database_url, fatal, "0"], env=environment, check=False
    )
    with closing(opened(open_broker(queue_url), database_url)) as loading:
        take_turn(loading, NOTE)
    assert killed.returncode == -signal.SIGKILL
    assert rows(database_url) == [stored(each) for each in events]


class Unburied(MemoryBroker):
    """Takes no dead letters."""

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        raise QueueUnavailable("memory://law", doing=f"publishing on {topic}", cause="the law says so")


def test_a_turn_whose_dead_letters_the_queue_does_not_take_keeps_nothing(database_url: str) -> None:
    feed = Queue()
    feed.publish([note(seq, order=kind(seq)) for seq in range(200)], events_max=20)
    with closing(opened(Unburied(feed.log), database_url)) as loading, pytest.raises(QueueUnavailable):
        take_turn(loading, NOTE)
    before = rows(database_url)
    load(feed, database_url)
    assert (before, len(rows(database_url))) == ([], 198)
    assert len([*dead_letters.letters(feed.broker())]) == 2


@pytest.fixture
def frail() -> Iterator[Cluster]:
    """A PostgreSQL of this law's own, which it may stop."""
    with running_postgres() as cluster:
        yield cluster


def test_a_database_that_goes_away_in_the_middle_has_all_of_a_turn_or_nothing(frail: Cluster) -> None:
    for fatal in STEPS:
        feed, url = Queue(), frail.new_database()
        feed.publish([note(seq) for seq in range(500)], events_max=20)
        step = stopping_at(fatal, frail)
        with closing(opened(feed.broker(), url, chunk_rows=50, step=step)) as loading:
            if fatal == "after commit":
                take_turn(loading, NOTE)
            else:
                with pytest.raises(DatabaseUnavailable):
                    take_turn(loading, NOTE)
        frail.start()
        assert len(rows(url)) == (500 if fatal == "after commit" else 0)
        load(feed, url)
        assert rows(url) == [stored(note(seq)) for seq in range(500)]


def stopping_at(fatal: Step, cluster: Cluster) -> Callable[[Step], None]:
    stopped: list[Step] = []

    def step(name: Step) -> None:
        if name == fatal and not stopped:
            stopped.append(name)
            cluster.stop()

    return step


def test_a_database_that_is_not_there_is_unavailable_and_its_password_is_not_shown() -> None:
    with pytest.raises(
        DatabaseUnavailable, match=r"the database at `postgresql://127\.0\.0\.1:9/pipeline` did not"
    ) as said:
        open_database("postgresql://pipeline:secret@127.0.0.1:9/pipeline")
    assert "secret" not in str(said.value)


def test_a_loader_outlives_a_database_that_is_down_at_the_start_and_in_the_middle(frail: Cluster) -> None:
    feed, url, crashes = Queue(), frail.new_database(), ["before copy", "before commit"]
    feed.publish([note(seq) for seq in range(100)], events_max=20)

    def step(name: Step) -> None:
        if crashes and name == crashes[0]:
            crashes.pop(0)
            frail.stop()

    def open_loading() -> Loading:
        return Loading(broker=feed.broker(), database=open_database(url), clock=feed.clock, chunk_rows=50, step=step)

    place = Place(tables=(NOTE,), opened=open_loading, broker=feed.broker, clock=feed.clock, workers=2)
    service = Service(ServiceOptions(name="loader", stage="output", queue_url="memory://law"))
    schedule = Schedule(interval_s=300, min_interval_s=10, backlog_events=1000)
    frail.stop()
    seen = []
    with closing(Rounds(place, schedule, service, lambda: False)) as rounds_of:
        for _ in range(4):
            for _ in range(12):
                rounds_of.go_round()
                feed.clock.sleep(1)
            seen.append(service.doing.split(":")[0])
            if seen[-1] == "waiting":
                frail.start()
                feed.clock.sleep(30)
    assert (seen, crashes) == (["waiting"] * 3 + ["waiting for the next load"], [])
    assert rows(url) == [stored(note(seq)) for seq in range(100)]
