"""What holds for brokers that several processes share, and what a SIGKILL leaves behind."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pipeline_queue.brokers import Broker, Message, open_broker
from pipeline_queue.brokers.sqlite import LOCK_WAIT_S
from pipeline_queue.topics import Topic
from waiting import PATIENCE_S

PROCESSES = 4

OPEN = """
import os, signal, sys
from pipeline_queue.brokers import Message, open_broker
from pipeline_queue.topics import Topic
url, name, me = sys.argv[1:4]
broker = open_broker(url)
"""

PUBLISH_40_TIMES_5 = """
broker.create([Topic(name=name, doc="", own_columns=(), key="", partitions=3, raw=True)])
for first in range(0, 200, 5):
    broker.publish(name, [Message(key=me.encode(), value=b"%d" % n) for n in range(first, first + 5)])
broker.close()
"""

PUBLISH_FOR_EVER = """
first = 0
while True:
    broker.publish(name, [Message(key=me.encode(), value=b"%d" % n) for n in range(first, first + 5)])
    first += 5
    print(first, flush=True)  # so many are acknowledged
"""

HANDLE_FIVE_AT_A_TIME = """
position = broker.committed("handlers", name).get(0, 0)
kill_at = int(me)
while position < 20:
    for record in broker.read(name, {0: position}, wait_s=5, limit=5):
        broker.publish(name + "-handled", [Message(value=record.value)])
        position = record.offset + 1
    if position == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)  # after the publish, before the commit
    broker.commit("handlers", name, {0: position})
broker.close()
"""


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.engine)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/queue" if request.param == "sqlite" else request.getfixturevalue("kafka_url")


@pytest.fixture
def broker(url: str) -> Iterator[Broker]:
    with closing(open_broker(url)) as opened:
        yield opened


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", OPEN + program, *arguments], stdout=subprocess.PIPE, text=True)


def read_values(broker: Broker, topic: str) -> list[tuple[bytes | None, int]]:
    positions, ends = broker.begin_offsets(topic), broker.end_offsets(topic)
    found = []
    while any(positions[partition] < end for partition, end in ends.items()):
        for record in broker.read(topic, positions, wait_s=5):
            positions[record.partition] = record.offset + 1
            found.append((record.key, int(record.value)))
    return found


def test_several_processes_publish_at_once_and_each_keeps_its_order(broker: Broker, url: str, topic: Topic) -> None:
    writers = [start(PUBLISH_40_TIMES_5, url, topic.name, f"writer-{n}") for n in range(PROCESSES)]
    assert [writer.wait(PATIENCE_S) for writer in writers] == [0] * PROCESSES
    found = read_values(broker, topic.name)
    by_writer = {key: [value for each, value in found if each == key] for key, _ in found}
    assert by_writer == {f"writer-{n}".encode(): list(range(200)) for n in range(PROCESSES)}


def test_what_a_killed_process_had_acknowledged_is_there_in_order_and_once(
    broker: Broker, url: str, topic: Topic
) -> None:
    broker.create([topic])
    writer = start(PUBLISH_FOR_EVER, url, topic.name, "w")
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= 300:
            break
    writer.kill()
    lines = writer.stdout.read().splitlines()[:-1]  # the last may be cut off
    acknowledged = max(map(int, lines), default=300)
    writer.wait()
    values = [value for _, value in read_values(broker, topic.name)]
    assert (values, len(values) >= acknowledged) == (list(range(len(values))), True)


def test_after_a_kill_others_publish_at_once(broker: Broker, url: str, topic: Topic) -> None:
    broker.create([topic])
    writer = start(PUBLISH_FOR_EVER, url, topic.name, "w")
    assert writer.stdout is not None
    writer.stdout.readline()
    writer.kill()
    started = time.monotonic()
    broker.publish(topic.name, [Message(value=b"0")])
    writer.wait()
    assert time.monotonic() - started < LOCK_WAIT_S / 2  # of a lock that nobody frees it would be told after all of it


@pytest.mark.parametrize("kill_at", [5, 10, 20])
def test_killed_between_publish_and_commit_it_handles_those_again_and_loses_none(
    broker: Broker, url: str, topic: Topic, kill_at: int
) -> None:
    broker.create([topic, replace(topic, name=f"{topic.name}-handled")])
    broker.publish(topic.name, [Message(value=b"%d" % n) for n in range(20)])
    killed = start(HANDLE_FIVE_AT_A_TIME, url, topic.name, str(kill_at)).wait(PATIENCE_S)
    committed = broker.committed("handlers", topic.name).get(0, 0)
    resumed = start(HANDLE_FIVE_AT_A_TIME, url, topic.name, "-1").wait(PATIENCE_S)
    handled = Counter(value for _, value in read_values(broker, f"{topic.name}-handled"))
    twice = {n: 2 if kill_at - 5 <= n < kill_at else 1 for n in range(20)}
    assert (killed, committed, resumed, handled) == (-signal.SIGKILL, kill_at - 5, 0, twice)


def test_a_reader_in_another_process_sees_what_is_published_now(broker: Broker, url: str, topic: Topic) -> None:
    broker.create([topic])
    follow = "print(broker.read(name, {0: 0}, wait_s=120)[0].value.decode(), flush=True)\nbroker.close()"
    reader = start("print('reading', flush=True)\n" + follow, url, topic.name, "r")
    assert reader.stdout is not None
    reader.stdout.readline()
    broker.publish(topic.name, [Message(value=b"now")])
    assert (reader.stdout.readline(), reader.wait(PATIENCE_S)) == ("now\n", 0)


def test_readers_and_writers_leave_no_file_open(tmp_path: Path, topic: Topic) -> None:
    gc.collect()  # what other tests left open may be closed at any time, and is no business of this one
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with closing(open_broker(f"sqlite://{tmp_path}/queue")) as opened:
            opened.create([topic])
            opened.publish(topic.name, [Message(value=b"")])
            opened.read(topic.name, {0: 0})
    assert len(os.listdir("/proc/self/fd")) <= before
