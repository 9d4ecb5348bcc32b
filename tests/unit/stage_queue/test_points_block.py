"""Blocks of points: what travels, how large it may be, and what is no block."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pipeline_queue.errors import TooLarge
from pipeline_queue.points.block import (
    FieldColumn,
    NotABlock,
    Origin,
    Points,
    as_batch,
    as_points,
    decode,
    encode,
    messages,
)
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.points.lines import to_lines
from pipeline_queue.topics import BLOCK_BYTES_MAX, POINTS

ORIGIN = Origin("db", "rp")


def points(count: int = 3, *, text: str = "x") -> Points:
    return Points(
        time_ns=np.arange(count, dtype=np.int64),
        series=np.arange(count, dtype=np.int32) % 2,
        keys=[b"cpu,host=a", b"cpu,host=b", b"nobody"],
        fields=[
            FieldColumn("f", "float", np.arange(count) / 2, np.arange(count) != 1),
            FieldColumn("f", "int", np.arange(count), np.arange(count) == 1),
            FieldColumn("ok", "bool", np.arange(count) % 2 == 0),
            FieldColumn("s", "string", np.array([text] * count, dtype=object)),
        ],
    )


def test_a_message_says_whose_points_it_holds_how_many_and_in_which_form() -> None:
    (message,) = messages(ORIGIN, as_batch(points()))
    assert (message.key, message.headers) == (b"db\0rp", (("encoding", b"arrow"), ("events", b"3")))


def test_a_block_has_the_declared_layout_and_only_keys_that_occur() -> None:
    origin, batch = decode(encode(ORIGIN, as_batch(points())))
    layout = [(field.name, field.type) for field in batch.schema]
    assert (origin, layout) == (
        ORIGIN,
        [
            ("time", pa.int64()),
            ("series", pa.dictionary(pa.int32(), pa.binary())),
            ("f", pa.float64()),
            ("f", pa.int64()),
            ("ok", pa.bool_()),
            ("s", pa.utf8()),
        ],
    )
    assert batch.column(1).dictionary.to_pylist() == [b"cpu,host=a", b"cpu,host=b"]


def test_points_are_the_same_after_their_travel_and_may_be_written_to() -> None:
    arrived = as_points(decode(encode(ORIGIN, as_batch(points())))[1])
    real, whole, ok, text = arrived.fields
    assert (real.values[[0, 2]].tolist(), real.present.tolist()) == ([0.0, 1.0], [True, False, True])
    assert (whole.values[1], whole.present.tolist()) == (1, [False, True, False])
    assert (ok.values.tolist(), ok.present, text.values.tolist()) == ([True, False, True], None, ["x", "x", "x"])
    assert all(each.flags.writeable for each in (arrived.time_ns, arrived.series, real.values, whole.values, ok.values))


def test_more_events_than_a_block_may_have_make_more_blocks_in_order() -> None:
    made = list(messages(ORIGIN, as_batch(points(25_000))))
    times = np.concatenate([as_points(decode(each.value)[1]).time_ns for each in made])
    assert (len(made), times.tolist()) == (4, list(range(25_000)))


def test_more_bytes_than_a_block_may_have_make_more_blocks() -> None:
    made = list(messages(ORIGIN, as_batch(points(100, text="x" * 100_000))))
    assert (len(made), max(len(each.value) for each in made) <= BLOCK_BYTES_MAX) == (4, True)


def test_one_point_above_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge, match="for `points` is above the limit"):
        list(messages(ORIGIN, as_batch(points(1, text="x" * BLOCK_BYTES_MAX))))


def test_a_part_of_a_block_has_only_the_fields_that_its_points_have() -> None:
    sparse = Points(
        time_ns=np.arange(20_000),
        series=np.zeros(20_000, dtype=np.int32),
        keys=[b"m"],
        fields=[
            FieldColumn("early", "int", np.arange(20_000), np.arange(20_000) < 10_000),
            FieldColumn("late", "int", np.arange(20_000), np.arange(20_000) >= 10_000),
        ],
    )
    made = [decode(each.value)[1].schema.names[2:] for each in messages(ORIGIN, as_batch(sparse))]
    assert made == [["early"], ["late"]]


@pytest.mark.parametrize("value", [b"", b"{}", encode(ORIGIN, as_batch(points()))[:-100], b"\xff" * 64])
def test_other_bytes_are_no_block(value: bytes) -> None:
    with pytest.raises(NotABlock, match="no block of points"):
        decode(value)


@pytest.mark.parametrize(
    "batch",
    [
        pa.RecordBatch.from_pydict({"time": [1]}),
        pa.RecordBatch.from_pydict({"time": [1], "series": ["cpu"], "f": [1.0]}),
        pa.RecordBatch.from_arrays(
            [pa.array([None], pa.int64()), pa.array([b"m"]).dictionary_encode(), pa.array([1.0])],
            names=["time", "series", "f"],
        ),
        pa.RecordBatch.from_arrays(
            [pa.array([1]), pa.array([b"m"]).dictionary_encode(), pa.array([1], pa.int8())],
            names=["time", "series", "f"],
        ),
    ],
)
def test_an_arrow_stream_of_other_columns_is_no_block(batch: pa.RecordBatch) -> None:
    with pytest.raises(NotABlock, match="no block of points"):
        decode(encode(ORIGIN, batch))


def test_points_are_declared_as_one_order_for_each_database_in_blocks() -> None:
    assert (POINTS.raw, POINTS.encoding, POINTS.columns) == (True, "arrow", ())


def test_lines_have_sorted_fields_typed_values_and_the_time_in_its_unit() -> None:
    made = Points(
        time_ns=np.array([1_500_000_000, -1_500_000_000]),
        series=np.array([1, 0], dtype=np.int32),
        keys=[b"m", rb"a\ b,t=c\,d"],
        fields=[
            FieldColumn("s", "string", np.array(['say "hi"', "C:\\x"], dtype=object)),
            FieldColumn("n o", "int", np.array([3, -4])),
            FieldColumn("b", "bool", np.array([True, False])),
            FieldColumn("a", "float", np.array([0.1, 2.0]), np.array([True, False])),
        ],
    )
    assert to_lines(made, precision="s").decode().splitlines() == [
        r'a\ b,t=c\,d a=0.1,b=true,n\ o=3i,s="say \"hi\"" 1',
        r'm b=false,n\ o=-4i,s="C:\\x" -1',
    ]


def test_what_line_protocol_cannot_say_is_left_out() -> None:
    made = Points(
        time_ns=np.arange(5),
        series=np.array([0, 0, 1, 2, 3], dtype=np.int32),
        keys=[b"m", b"m,t=ends\\", b"# no comment", b""],
        fields=[
            FieldColumn("f", "float", np.array([np.nan, 1.0, 2.0, 3.0, 4.0])),
            FieldColumn("g\\", "int", np.arange(5)),
        ],
    )
    assert to_lines(made) == b"m f=1 1\n"


def test_a_point_of_which_line_protocol_can_say_no_field_leaves_its_neighbours_as_they_are() -> None:
    present = np.array([True, False, True])
    made = Points(
        time_ns=np.arange(3),
        series=np.zeros(3, dtype=np.int32),
        keys=[b"m"],
        fields=[
            FieldColumn("f", "float", np.array([1.0, 2.0, 3.0]), present),
            FieldColumn("g", "int", np.arange(3), present),
            FieldColumn("h\\", "int", np.arange(3), ~present),
        ],
    )
    assert to_lines(made) == b"m f=1,g=0i 0\nm f=3,g=2i 2\n"


def test_a_field_that_begins_with_what_readers_skip_is_left_out_of_lines() -> None:
    (batch,) = Parser().parse(b"m a=1,\tb=2,\x00c=3 1\n", now_ns=0).batches
    assert to_lines(as_points(batch)) == b"m a=1 1\n"
