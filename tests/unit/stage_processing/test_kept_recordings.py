"""Recordings in a folder: what they hold, when they end, what a restart leaves of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pipeline_processing.tasks.errors import NoRecording, Refused
from pipeline_processing.tasks.kept_recordings import KeptRecordings
from pipeline_processing.tasks.point_log import PointLog, Until
from pipeline_processing.tasks.selection import Selection, selected
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import as_repeated, blocks
from pipeline_queue.errors import BadRecording
from pipeline_queue.events import event_id, event_type
from pipeline_queue.points.block import messages
from pipeline_queue.points.message_ids import MessageIds
from pipeline_queue.recordings.lines import blocks_of_lines
from pipeline_queue.recordings.parquet import RecordingWriter
from pipeline_queue.topics import MONITORING, POINTS

NOW_NS = 100 * 10**9
PATIENCE_S = 30.0
TASK = TaskDefinition(id="t", type="stream", script="", dbrps=(("d", "r"),))
OF_HOSTS = TaskDefinition(id="hosts", type="stream", script="", dbrps=(("pipeline", "monitoring"),))
GAUGES = ("r", "b", "swpd", "free", "buff", "cache", "si", "so", "bi", "bo", "in", "cs")
SHARES = ("us", "sy", "id", "wa", "st")


class Queue:
    """The topics `points` and `monitoring`, and a folder of recordings beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.clock = folder, MemoryLog(), ManualClock(NOW_NS)
        self.broker = MemoryBroker(self.log, clock=self.clock)
        self.broker.create([POINTS, MONITORING])
        self.recordings = self.opened()

    def opened(self) -> KeptRecordings:
        return KeptRecordings(self.folder, lambda: MemoryBroker(self.log, clock=self.clock), self.clock)

    def write(self, text: str, dbrp: tuple[str, str] = ("d", "r")) -> None:
        (block,) = blocks_of_lines(text, dbrp, "s")
        self.broker.publish("points", list(messages(block.origin, block.batch)))

    def measure(self, host: str, seq: int, time_s: int, *, again: bool = False) -> None:
        """An event of the topic `monitoring`, with `seq` as its gauges."""
        event = event_type(MONITORING)(
            event_id=event_id(host, seq), time_ns=time_s * 10**9, producer=host, seq=seq, host=host,
            **dict.fromkeys(GAUGES, seq), **dict.fromkeys(SHARES, 0.5),
        )  # fmt: skip
        (message,) = blocks(MONITORING, [event])
        self.broker.publish(MONITORING.name, [as_repeated(message) if again else message])

    def hosts(self, recording_id: str) -> Sequence[Any]:
        """Series and gauge of each point."""
        found = [each.batch for each in self.recordings.blocks(recording_id)]
        columns = [(each.column("series").to_pylist(), each.column("free").to_pylist()) for each in found]
        return [pair for series, free in columns for pair in zip(series, free, strict=True)]

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


def test_events_of_a_topic_are_recorded_for_a_task_that_reads_it_as_are_points_of_its_name(
    queue_of_points: Queue,
) -> None:
    here = queue_of_points
    here.measure("a", 1, 99)
    here.recordings.create_stream("r", OF_HOSTS, stop_ns=200 * 10**9)
    for host in "abcd":
        here.measure(host, 2, 100)
    here.measure("b", 2, 100, again=True)
    here.write("monitoring,host=e free=2i 100", dbrp=("pipeline", "monitoring"))
    here.write("monitoring,host=f free=2i 100")
    here.clock.time_ns = 200 * 10**9
    assert here.recordings.wait("r", PATIENCE_S).status == "finished"
    assert sorted(here.hosts("r")) == [
        *((f"monitoring,host={host},producer={host}".encode(), 2) for host in "abcd"),
        (b"monitoring,host=e", 2),
    ]


def test_a_recorded_event_has_the_fields_that_its_topic_declares(queue_of_points: Queue) -> None:
    here = queue_of_points
    here.recordings.create_stream("r", OF_HOSTS, stop_ns=200 * 10**9)
    here.measure("a", 7, 150)
    here.clock.time_ns = 200 * 10**9
    here.recordings.wait("r", PATIENCE_S)
    (block,) = here.recordings.blocks("r")
    (row,) = block.batch.to_pylist()
    own = {"time": 150 * 10**9, "series": b"monitoring,host=a,producer=a", "event_id": "a-000000000007", "seq": 7}
    assert (block.database, block.retention_policy) == ("pipeline", "monitoring")
    assert row == own | dict.fromkeys(GAUGES, 7) | dict.fromkeys(SHARES, 0.5)


def test_a_query_finds_a_topics_events_in_the_order_in_which_the_queue_took_them(queue_of_points: Queue) -> None:
    here = queue_of_points
    for second in range(95, 99):
        here.clock.time_ns = second * 10**9
        for host in "ab":  # of the two partitions
            here.measure(host, second, second)
            here.clock.time_ns += 10**8
    here.clock.time_ns = NOW_NS
    query = "select * from pipeline.monitoring.monitoring where time > now() - 5s and time < now() - 2s"
    here.recordings.create_query("q", query, kind="stream")
    assert here.recordings.wait("q", PATIENCE_S).status == "finished"
    a, b = b"monitoring,host=a,producer=a", b"monitoring,host=b,producer=b"
    assert here.hosts("q") == [(a, 96), (b, 96), (a, 97), (b, 97)]


def test_a_query_finds_what_the_queue_keeps(queue_of_points: Queue) -> None:
    here = queue_of_points
    here.write("m,h=a v=1 9\nm v=1 10\nn v=1 11\nm v=2 20\nm v=3 12")
    here.write("m v=1 15", dbrp=("d", "other"))
    query = "select * from d.r.m where time >= 10000000000 and time < '1970-01-01T00:00:20Z'"
    here.recordings.create_query("q", query, kind="stream")
    assert here.recordings.wait("q", PATIENCE_S).status == "finished"
    assert here.times_s("q") == [10, 12]


def test_what_the_queue_forgets_while_it_is_recorded_is_passed_over(queue_of_points: Queue) -> None:
    here = queue_of_points
    log = PointLog.from_now(lambda: here.broker, TASK.dbrps)
    here.write("m v=1 101")
    here.write("m v=2 102")
    ((partition, _),) = log.offsets["points"].items()
    here.broker.trim("points", {partition: 1})
    until = Until(time_ns=NOW_NS, clock=here.clock, stopped=lambda: False)
    assert [each.batch.column("v").to_pylist() for each in log.live(until)] == [[2.0]]
    kept = PointLog.kept(lambda: here.broker, TASK.dbrps)
    assert [each.batch.column("v").to_pylist() for each in kept] == [[2.0]]


def test_a_file_of_another_recording_is_one_here_with_the_same_points(queue_of_points: Queue, tmp_path: Path) -> None:
    here = queue_of_points
    writer = RecordingWriter(tmp_path / "elsewhere.parquet")
    for block in blocks_of_lines("m,h=b v=1 7\nm,h=a v=2i 3", ("d", "r"), "s"):
        writer.add(block)
    writer.finish()
    file = (tmp_path / "elsewhere.parquet").read_bytes()
    begun = here.recordings.create_import("r", file)
    told = here.recordings.wait("r", PATIENCE_S)
    assert (begun.status, told.status, told.type, here.times_s("r")) == ("running", "finished", "stream", [7, 3])
    with pytest.raises(BadRecording, match="cannot be read"):
        here.recordings.create_import("other", file[:-1])
    assert [each.id for each in here.recordings.every()] == ["r"]


def test_a_file_whose_points_are_none_fails_as_a_recording(queue_of_points: Queue, tmp_path: Path) -> None:
    here = queue_of_points
    columns = {
        "time": pa.array([1]),
        "series": pa.array([b"m,h"], pa.binary()).dictionary_encode(),
        **dict.fromkeys(("db", "rp"), pa.array(["d"]).dictionary_encode()),
        "float:v": pa.array([1.0]),
    }
    pq.write_table(pa.table(columns), tmp_path / "bad.parquet")
    here.recordings.create_import("r", (tmp_path / "bad.parquet").read_bytes())
    told = here.recordings.wait("r", PATIENCE_S)
    assert (told.status, "is no series" in told.error) == ("failed", True)


def test_an_interrupted_recording_has_failed_after_a_restart(queue_of_points: Queue) -> None:
    here = queue_of_points
    here.recordings.keep("whole", blocks_of_lines("m v=1 1", ("d", "r"), "s"))
    here.recordings.wait("whole", PATIENCE_S)
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
