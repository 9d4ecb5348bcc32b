"""Recordings in a folder: what they hold, when they end, what a restart leaves of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pipeline_processing.tasks.errors import NoRecording, Refused
from pipeline_processing.tasks.kept_recordings import KeptRecordings
from pipeline_processing.tasks.selection import Selection, selected
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import as_repeated
from pipeline_queue.points.block import messages
from pipeline_queue.points.message_ids import MessageIds
from pipeline_queue.recordings.lines import blocks_of_lines
from pipeline_queue.topics import POINTS

NOW_NS = 100 * 10**9
PATIENCE_S = 30.0
TASK = TaskDefinition(id="t", type="stream", script="", dbrps=(("d", "r"),))


class Queue:
    """The topic `points`, and a folder of recordings beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.clock = folder, MemoryLog(), ManualClock(NOW_NS)
        self.broker = MemoryBroker(self.log, clock=self.clock)
        self.broker.create([POINTS])
        self.recordings = self.opened()

    def opened(self) -> KeptRecordings:
        return KeptRecordings(self.folder, lambda: MemoryBroker(self.log, clock=self.clock), self.clock)

    def write(self, text: str, dbrp: tuple[str, str] = ("d", "r")) -> None:
        (block,) = blocks_of_lines(text, dbrp, "s")
        self.broker.publish("points", list(messages(block.origin, block.batch)))

    def times_s(self, recording_id: str) -> Sequence[Any]:
        blocks = self.recordings.blocks(recording_id)
        return [time // 10**9 for each in blocks for time in each.batch.column(0).to_pylist()]


@pytest.fixture
def queue_of_points(tmp_path: Path) -> Iterator[Queue]:
    here = Queue(tmp_path)
    yield here
    here.recordings.close()


def test_a_stream_is_recorded_from_its_beginning_until_a_point_is_later(queue_of_points: Queue) -> None:
    here = queue_of_points
    here.write("m v=1 90")
    here.recordings.create_stream("r", TASK, stop_ns=200 * 10**9)
    here.write("m v=1 101\nm v=2 200")
    here.write("m v=3 150", dbrp=("other", "r"))
    here.write("m v=4 199\nm v=5 201\nm v=6 150")
    told = here.recordings.wait("r", PATIENCE_S)
    assert (told.status, told.progress, told.error, told.date_ns) == ("finished", 1.0, "", NOW_NS)
    assert told.size_bytes == (here.folder / "r.parquet").stat().st_size
    assert here.times_s("r") == [101, 200, 199]


def test_a_stream_without_later_points_ends_by_the_clock(queue_of_points: Queue) -> None:
    here = queue_of_points
    here.recordings.create_stream("r", TASK, stop_ns=200 * 10**9)
    here.write("m v=1 101")
    here.clock.time_ns = 200 * 10**9
    assert here.recordings.wait("r", PATIENCE_S).status == "finished"
    assert here.times_s("r") == [101]


def test_points_that_were_sent_again_are_recorded_once(queue_of_points: Queue) -> None:
    here = queue_of_points
    (block,) = blocks_of_lines("m v=1 101\nm v=2 102", ("d", "r"), "s")
    sent = MessageIds().given(messages(block.origin, block.batch))
    here.recordings.create_stream("r", TASK, stop_ns=200 * 10**9)
    here.broker.publish("points", [*sent, *map(as_repeated, sent)])
    here.write("m v=3 201")
    here.recordings.wait("r", PATIENCE_S)
    assert here.times_s("r") == [101, 102]


def test_a_query_finds_what_the_queue_keeps(queue_of_points: Queue) -> None:
    here = queue_of_points
    here.write("m,h=a v=1 9\nm v=1 10\nn v=1 11\nm v=2 20\nm v=3 12")
    here.write("m v=1 15", dbrp=("d", "other"))
    query = "select * from d.r.m where time >= 10000000000 and time < '1970-01-01T00:00:20Z'"
    here.recordings.create_query("q", query, kind="stream")
    assert here.recordings.wait("q", PATIENCE_S).status == "finished"
    assert here.times_s("q") == [10, 12]


def test_an_interrupted_recording_has_failed_after_a_restart(queue_of_points: Queue) -> None:
    here = queue_of_points
    here.recordings.keep("whole", blocks_of_lines("m v=1 1", ("d", "r"), "s"))
    (here.folder / "half.spool").write_bytes(b"half")
    (here.folder / "half.json").write_text('{"id":"half","type":"stream","date_ns":5,"status":"running"}')
    again = here.opened()
    assert [(each.id, each.status, bool(each.error)) for each in again.every()] == [
        ("whole", "finished", False),
        ("half", "failed", True),
    ]
    assert again.show("whole") == here.recordings.show("whole")
    assert not (here.folder / "half.spool").exists()


def test_a_deleted_recording_ends_and_leaves_nothing(queue_of_points: Queue) -> None:
    here = queue_of_points
    here.recordings.create_stream("r", TASK, stop_ns=200 * 10**9)
    here.recordings.delete("r")
    here.recordings.delete("r")
    assert (list(here.folder.iterdir()), here.recordings.every()) == ([], [])
    with pytest.raises(NoRecording):
        here.recordings.show("r")


def test_what_is_not_recorded_says_why(queue_of_points: Queue) -> None:
    here = queue_of_points.recordings
    here.keep("r", [])
    with pytest.raises(Refused, match="recording r already exists"):
        here.keep("r", [])
    with pytest.raises(Refused, match="200 bytes"):
        here.keep("ä" * 100, [])
    with pytest.raises(Refused, match="batch tasks do not run here"):
        here.create_batch("b", TASK, start_ns=0, stop_ns=1)
    with pytest.raises(Refused, match="batch tasks do not run here"):
        here.create_query("b", "select * from d.r.m", kind="batch")


def test_a_query_is_of_one_measurement_between_two_times() -> None:
    found = selected('SELECT * FROM "my db".r."m.1" WHERE time > now() - 10s AND time <= 7', NOW_NS)
    assert found == Selection(
        database="my db", retention_policy="r", measurement="m.1", start_ns=90 * 10**9 + 1, stop_ns=8
    )


@pytest.mark.parametrize(
    "query",
    [
        "select mean(v) from d.r.m",
        "select * from m",
        "select * from d.r.m group by host",
        "select * from d.r.m where host = 'a'",
        "select * from d.r.m where time > soon",
        "select * from d.r.m where time > 'soon'",
        "select * from d.r.m where time > 1 or time < 2",
        "drop measurement m",
    ],
)
def test_other_queries_are_refused(query: str) -> None:
    with pytest.raises(Refused):
        selected(query, NOW_NS)
