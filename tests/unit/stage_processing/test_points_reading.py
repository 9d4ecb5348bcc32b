"""Records of the queue as frames of a task."""

from __future__ import annotations

import numpy as np
import pytest
from pipeline_processing.points.frame import Column, Frame
from pipeline_processing.points.keys import Group, Keys, Series
from pipeline_processing.points.reading import Mapping, Reader
from pipeline_processing.points.writing import as_points
from pipeline_queue.brokers import Message, Record
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_type
from pipeline_queue.points.block import NotABlock, Origin, messages
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.points.lines import to_lines
from pipeline_queue.topics import HEARTBEATS, POINTS, Topic

PARSER = Parser()


def record(topic: Topic, message: Message) -> Record:
    return Record(topic=topic.name, partition=0, offset=7, append_time_ns=10**18, key=message.key, value=message.value)


def of_lines(body: str, database: str = "d") -> Record:
    (batch,) = PARSER.parse(body.encode(), now_ns=0).batches
    (message,) = messages(Origin(database, "r"), batch)
    return record(POINTS, message)


def test_points_are_of_their_series_in_the_group_nil_and_caused_by_their_ordinal() -> None:
    keys, block = Keys(), Reader().read(POINTS, of_lines("cpu,host=b v=1 1\ncpu,host=a v=2i 2\ncpu,host=b v=3 3"))
    frame = block.frame(Mapping(), keys, first_cause=100)
    assert (frame.time_ns.tolist(), frame.series.tolist(), frame.cause.tolist()) == (
        [1, 2, 3],
        [0, 1, 0],
        [100, 101, 102],
    )
    assert keys.series == [Series("d", "r", "cpu", (("host", "b"),)), Series("d", "r", "cpu", (("host", "a"),))]
    assert [keys.groups[each] for each in frame.group] == [Group()] * 3
    assert {key: column.mask().tolist() for key, column in frame.fields.items()} == {
        ("v", "float"): [True, False, True],
        ("v", "int"): [False, True, False],
    }


def test_each_task_has_its_own_numbers_for_what_was_read_once() -> None:
    reader = Reader()
    one, other = Keys(), Keys()
    other.series_id(Series("else", "r", "x"))
    mine, others = Mapping(), Mapping()
    for body in ("m,h=a v=1 1\nm,h=b v=1 2", "m,h=c v=1 3\nm,h=a v=1 4"):
        block = reader.read(POINTS, of_lines(body))
        of_one = block.frame(mine, one, first_cause=0).series
        of_other = block.frame(others, other, first_cause=0, rows=block.time_ns != 2).series
    assert (of_one.tolist(), of_other.tolist()) == ([2, 0], [2, 1])


def test_rows_that_are_not_asked_for_leave_no_trace_in_a_tasks_keys() -> None:
    keys, block = Keys(), Reader().read(POINTS, of_lines("m,h=a v=1 1\nm,h=b w=2i 2"))
    frame = block.frame(Mapping(), keys, first_cause=5, rows=np.array([False, True]))
    assert ([each.tags for each in keys.series], frame.cause.tolist(), list(frame.fields)) == (
        [(("h", "b"),)],
        [6],
        [("w", "int")],
    )


def test_the_same_key_in_another_database_is_another_series() -> None:
    reader, mapping, keys = Reader(), Mapping(), Keys()
    for database in ("one", "two", "one"):
        reader.read(POINTS, of_lines("m v=1 1", database)).frame(mapping, keys, first_cause=0)
    assert [each.database for each in keys.series] == ["one", "two"]


def test_a_mapping_that_meets_another_reader_begins_anew() -> None:
    mapping, keys = Mapping(), Keys()
    first = Reader().read(POINTS, of_lines("m,h=a v=1 1")).frame(mapping, keys, first_cause=0)
    second = Reader().read(POINTS, of_lines("m,h=b v=1 1\nm,h=a v=1 2")).frame(mapping, keys, first_cause=1)
    assert (first.series.tolist(), second.series.tolist()) == ([0], [1, 0])


def test_a_tags_name_and_value_are_as_they_were_meant() -> None:
    keys = Keys()
    Reader().read(POINTS, of_lines(r"a\ b,k\=1=v\,2 f=1 1")).frame(Mapping(), keys, first_cause=0)
    assert keys.series == [Series("d", "r", "a b", (("k=1", "v,2"),))]


def test_texts_are_str_and_numbers_may_be_written_to() -> None:
    block = Reader().read(POINTS, of_lines('m s="x",v=1 1\nm v=2 2'))
    text, value = block.fields["s", "string"], block.fields["v", "float"]
    assert (text.values[0], text.values.dtype, value.values.flags.writeable) == ("x", object, True)


def test_a_topics_events_are_points_of_the_database_pipeline() -> None:
    event = event_type(HEARTBEATS)(
        event_id="p-0", time_ns=10**18, producer="p", seq=0, service="s", stage="", healthy=True, events_in=1, events_out=2,
        dead=0, late=0, lag=3, latency_s=0.5, doing="it",
    )  # fmt: skip
    (message,) = blocks(HEARTBEATS, [event])
    keys = Keys()
    block = Reader().read(HEARTBEATS, record(HEARTBEATS, message))
    frame = block.frame(Mapping(), keys, first_cause=0)
    assert keys.series == [Series("pipeline", "heartbeats", "heartbeats", (("producer", "p"), ("service", "s")))]
    assert {key: column.values.tolist() for key, column in frame.fields.items()} == {
        ("event_id", "string"): ["p-0"],
        ("seq", "int"): [0],
        ("healthy", "bool"): [True],
        ("events_in", "int"): [1],
        ("events_out", "int"): [2],
        ("dead", "int"): [0],
        ("late", "int"): [0],
        ("lag", "int"): [3],
        ("latency_s", "float"): [0.5],
        ("doing", "string"): ["it"],
    }
    assert (block.database, block.retention_policy, frame.time_ns.tolist()) == ("pipeline", "heartbeats", [10**18])


def test_a_record_that_is_no_block_is_refused() -> None:
    with pytest.raises(NotABlock):
        Reader().read(POINTS, record(POINTS, Message(value=b"cpu v=1")))


def test_no_points_are_an_empty_frame() -> None:
    block = Reader().read(HEARTBEATS, record(HEARTBEATS, Message(value=b"{broken\n")))
    assert len(block.frame(Mapping(), Keys(), first_cause=0)) == 0


def test_a_tasks_points_leave_it_as_line_protocol() -> None:
    keys = Keys()
    series = [
        keys.series_id(Series("d", "r", name, tags))
        for name, tags in [("unused", ()), ("cpu load", (("host", "a,b"), ("rack", ""))), ("m", ())]
    ]
    frame = Frame(
        time_ns=np.array([10_000, 20_000]),
        series=np.array([series[2], series[1]], dtype=np.int32),
        group=np.zeros(2, dtype=np.int32),
        cause=np.arange(2),
        fields={
            ("f", "float"): Column(np.array([1.5, 0.0]), np.array([True, False])),
            ("f", "int"): Column(np.array([0, 7]), np.array([False, True])),
            ("d", "duration"): Column(np.array([1_000, 2_000])),
            ("n", "null"): Column(np.zeros(2, dtype=bool)),
            ("s", "string"): Column(np.array(["x", 0], dtype=object), np.array([True, False])),
        },
    )
    assert to_lines(as_points(frame, keys), precision="u").decode().splitlines() == [
        'm d=1000i,f=1.5,s="x" 10',
        r"cpu\ load,host=a\,b d=2000i,f=7i 20",
    ]
    assert to_lines(as_points(frame, keys, measurement="all"))[:4] == b"all "
