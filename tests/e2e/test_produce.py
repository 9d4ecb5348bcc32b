"""A producer as a process of its own: stopped, killed, started again; its ledger against the queue."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from pipeline_queue.brokers import open_broker
from pipeline_queue.codec import decode_all
from pipeline_queue.events import Event
from pipeline_queue.ledger import read_ledgers
from pipeline_queue.topics import HEARTBEATS, MONITORING, RANDOM_NUMBERS, Topic
from waiting import PATIENCE_S, Stopwatch

SECOND_NS = 1_000_000_000


class Produced:
    """A folder with a queue and a ledger, and the producers that were started on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, f"sqlite://{folder}/queue"
        self._started: list[subprocess.Popen[str]] = []
        with closing(open_broker(self.url)) as broker:
            broker.create([MONITORING, RANDOM_NUMBERS, HEARTBEATS])

    def start(self, name: str, **settings: str) -> subprocess.Popen[str]:
        environment = {"QUEUE_URL": self.url, "LEDGER_DIR": str(self.folder / "ledger"), **settings}
        program = f"from pipeline_input.produce import produce; produce({name!r})"
        process = subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE, text=True)
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()

    def events(self, topic: Topic) -> list[Event]:
        with closing(open_broker(self.url)) as broker:
            positions, ends, found = broker.begin_offsets(topic.name), broker.end_offsets(topic.name), []
            while any(positions[partition] < end for partition, end in ends.items()):
                records = broker.read(topic.name, positions, wait_s=1)
                positions |= {record.partition: record.offset + 1 for record in records}
                found += decode_all(topic, records).events
            return found

    def wait_for(self, topic: Topic, count: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while len(self.events(topic)) < count:
            assert time.monotonic() < deadline, f"fewer than {count} events on {topic.name}"
            time.sleep(0.1)

    def ids(self, what: str) -> set[tuple[str, int]]:
        entries = [entry for entry in read_ledgers(self.folder / "ledger") if entry.what == what]
        return {(each.producer, seq) for each in entries for seq in range(each.first_seq, each.last_seq + 1)}


@pytest.fixture
def produced(tmp_path: Path) -> Iterator[Produced]:
    made = Produced(tmp_path)
    yield made
    made.end()


def ids(events: list[Event]) -> list[tuple[str, int]]:
    return [(event.producer, event.seq) for event in events]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_ends_at_once_with_all_it_made_acknowledged(produced: Produced, number: int) -> None:
    producer = produced.start("random-numbers", RANDOM_NUMBERS_RATE="1000")
    produced.wait_for(RANDOM_NUMBERS, 1500)
    stopwatch = Stopwatch()
    producer.send_signal(number)
    lines = producer.communicate(timeout=PATIENCE_S)[1].splitlines()
    said = [line for line in lines if "behind: events are late" not in line and "no heartbeat: " not in line]
    assert (producer.returncode, said, stopwatch.seconds() < 5) == (0, [], True)
    assert set(ids(produced.events(RANDOM_NUMBERS))) == produced.ids("acknowledged") == produced.ids("made")


def test_killed_it_loses_nothing_acknowledged_and_repeats_nothing(produced: Produced) -> None:
    producer = produced.start("random-numbers", RANDOM_NUMBERS_RATE="20000")
    produced.wait_for(RANDOM_NUMBERS, 20_000)
    producer.kill()
    producer.wait()
    found = ids(produced.events(RANDOM_NUMBERS))
    twice = [each for each, count in Counter(found).items() if count > 1]
    assert (produced.ids("acknowledged") - set(found), set(found) - produced.ids("made"), twice) == (set(), set(), [])


def test_started_again_it_is_a_new_producer_with_the_same_numbers(produced: Produced) -> None:
    for _ in range(2):
        producer = produced.start("random-numbers", RANDOM_NUMBERS_RATE="100", RANDOM_NUMBERS_SEED="5")
        already = len(produced.events(RANDOM_NUMBERS))
        produced.wait_for(RANDOM_NUMBERS, already + 50)
        producer.kill()
        producer.wait()
    by_producer: dict[str, list[float]] = {}
    for event in produced.events(RANDOM_NUMBERS):
        by_producer.setdefault(event.producer, []).append(event.value)
    first, again = by_producer.values()
    assert first[:50] == again[:50]


def test_in_real_time_every_whole_second_holds_its_count(produced: Produced) -> None:
    producer = produced.start("random-numbers", RANDOM_NUMBERS_RATE="999")
    produced.wait_for(RANDOM_NUMBERS, 4 * 999 + 1)
    producer.terminate()
    producer.wait()
    counts = Counter(event.time_ns // SECOND_NS for event in produced.events(RANDOM_NUMBERS))
    newest = max(counts)
    assert {count for second, count in counts.items() if second != newest} == {999}


def test_monitoring_samples_each_interval(produced: Produced) -> None:
    producer = produced.start("monitoring", MONITORING_INTERVAL_S="0.2", MONITORING_HOST="box")
    produced.wait_for(MONITORING, 20)
    producer.terminate()
    producer.wait()
    events = produced.events(MONITORING)
    gaps_s = [(after.time_ns - before.time_ns) / SECOND_NS for before, after in pairwise(events)]
    assert ({event.host for event in events}, median(gaps_s)) == ({"box"}, pytest.approx(0.2, abs=0.1))


def test_a_wrong_setting_ends_it_with_one_sentence(produced: Produced) -> None:
    producer = produced.start("random-numbers", RANDOM_NUMBERS_RATE="0")
    said = producer.communicate(timeout=PATIENCE_S)[1]
    assert (producer.returncode, said.splitlines()[-1]) == (
        1,
        "pipeline_queue.errors.BadSetting: RANDOM_NUMBERS_RATE is '0': input should be greater than or equal to 1",
    )
