"""Files of points, read into blocks."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pipeline_queue.errors import BadRecording
from pipeline_queue.points.block import PointBlock
from pipeline_queue.recordings.files import Reading, blocks_in
from pipeline_queue.recordings.parquet import RecordingWriter, recorded_blocks, recorded_rows

SRPL = "telegraf\nautogen\ncpu,host=a usage=1.5,n=2i 10\ntelegraf\nautogen\ncpu,host=b usage=2 11\nother\nweek\nmem free=3i 12\n"
POINTS = [
    ("telegraf", "autogen", b"cpu,host=a", 10_000_000_000, {"usage": 1.5, "n": 2}),
    ("telegraf", "autogen", b"cpu,host=b", 11_000_000_000, {"usage": 2.0}),
    ("other", "week", b"mem", 12_000_000_000, {"free": 3}),
]


def points(blocks: Iterable[PointBlock]) -> list[tuple[Any, ...]]:
    """Database, retention policy, series, time and fields of each, in order."""
    found = []
    for block in blocks:
        batch = block.batch
        columns = [(name, column.to_pylist()) for name, column in zip(batch.schema.names, batch.columns, strict=True)]
        (_, times), (_, series), *fields = columns
        for at, (time, key) in enumerate(zip(times, series, strict=True)):
            values = {name: values[at] for name, values in fields if values[at] is not None}
            found.append((block.database, block.retention_policy, key, time, values))
    return found


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_recording_of_kapacitor_is_read_in_its_order(tmp_path: Path) -> None:
    plain = written(tmp_path / "a.srpl", SRPL)
    packed = tmp_path / "b.srpl"
    packed.write_bytes(gzip.compress(SRPL.replace(" 10\n", " 10000000000\n").encode()))
    assert points(blocks_in(plain, Reading(precision="s"))) == POINTS
    assert points(blocks_in(packed, Reading()))[0] == POINTS[0]


@pytest.mark.parametrize("rows_max", [1, 2, 10])
def test_what_was_recorded_comes_back_whatever_the_blocks(tmp_path: Path, rows_max: int) -> None:
    source = written(tmp_path / "a.srpl", SRPL)
    writer = RecordingWriter(tmp_path / "r.parquet")
    for block in blocks_in(source, Reading(precision="s", rows_max=rows_max)):
        writer.add(block)
    size = writer.finish()
    path = tmp_path / "r.parquet"
    assert points(recorded_blocks(path)) == points(recorded_blocks(path, rows_max=1)) == POINTS
    assert (size, recorded_rows(path)) == (path.stat().st_size, 3)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.srpl", "r.parquet"]


def test_a_field_of_two_types_keeps_both(tmp_path: Path) -> None:
    source = written(tmp_path / "a.lp", 'm v=1 1\nm v=2i 2\nm v="x" 3\nm v=true 4\n')
    writer = RecordingWriter(tmp_path / "r.parquet")
    for block in blocks_in(source, Reading()):
        writer.add(block)
    writer.finish()
    values = [fields["v"] for *_, fields in points(recorded_blocks(tmp_path / "r.parquet"))]
    assert [(type(each), each) for each in values] == [(float, 1.0), (int, 2), (str, "x"), (bool, True)]


def test_an_empty_recording_is_one(tmp_path: Path) -> None:
    RecordingWriter(tmp_path / "r.parquet").finish()
    assert (points(recorded_blocks(tmp_path / "r.parquet")), recorded_rows(tmp_path / "r.parquet")) == ([], 0)


def test_line_protocol_has_escapes_comments_and_one_database(tmp_path: Path) -> None:
    text = '# a comment\n\nc\\,pu,ho\\ st=a\\=b say="a \\"b\\", c=d",ok=t 5\n'
    found = points(blocks_in(written(tmp_path / "a.txt", text), Reading(dbrp=("d", "r"), precision="ms")))
    assert found == [("d", "r", b"c\\,pu,ho\\ st=a\\=b", 5_000_000, {"say": 'a "b", c=d', "ok": True})]


def test_numbers_of_json_points_are_what_they_look_like_and_of_batches_floats(tmp_path: Path) -> None:
    point = {"name": "cpu", "tags": {"h": "a"}, "fields": {"n": 1, "v": 1.0}, "time": 7, "db": "d2"}
    batch = {"name": "cpu", "tags": {"h": "b"}, "points": [{"fields": {"n": 1}, "time": "1970-01-01T00:00:01.5Z"}]}
    source = written(tmp_path / "a.ndjson", f"{json.dumps(point)}\n{json.dumps(batch)}\n")
    found = points(blocks_in(source, Reading(dbrp=("d", "r"))))
    assert found == [
        ("d2", "r", b"cpu,h=a", 7, {"n": 1, "v": 1.0}),
        ("d", "r", b"cpu,h=b", 1_500_000_000, {"n": 1.0}),
    ]
    assert [type(fields["n"]) for *_, fields in found] == [int, float]


def test_an_archive_of_batches_is_read_member_after_member(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, value in (("q.0.brpl", 1), ("q.1.brpl", 2)):
            point = {"fields": {"v": value}, "tags": {"h": name}, "time": "1970-01-01T00:00:00Z"}
            archive.writestr(name, json.dumps({"name": "m", "points": [point]}))
    assert [fields["v"] for *_, fields in points(blocks_in(tmp_path / "a.zip", Reading()))] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.srpl", "d\nr\ncpu v=1 1\nd\nr\n", "line 5: the file ends within a point"),
        ("a.srpl", "d\nr\ncpu v=1 1\nd\nr\ncpu v= 1\n", "line 6: missing field value: cpu v= 1"),
        ("a.lp", "cpu v=1 1\ncpu v=1\n", "line 2: it has no time: cpu v=1"),
        ("a.lp", "cpu v=abc 1\n", "line 1: invalid boolean: cpu v=abc 1"),
        ("a.lp", "cpu v=99999999999999999999i 1\n", "value out of range"),
        ("a.lp", "cpu, v=1 1\n", "line 1: missing tag key"),
        ("a.lp", "cpu v=1, 1\n", "line 1: invalid field format"),
        ("a.ndjson", '{"name": "a"}\n', "line 1: it has no 'fields'"),
        ("a.ndjson", "[]\n", "line 1: "),
        ("a.ndjson", '{"name": "a", "fields": {"v": [1]}, "time": 1}\n', "the field v is no number"),
        ("a.ndjson", '{"name": "a", "fields": {"v": 1}, "time": "soon"}\n', "'soon' is no time"),
        ("a.csv", "a,b\n", "its name says no form"),
        ("a.parquet", "nothing", "cannot be read"),
        ("a.zip", "nothing", "cannot be read"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, name: str, text: str, told: str) -> None:
    path = written(tmp_path / name, text)
    with pytest.raises(BadRecording) as refused:
        list(blocks_in(path, Reading()))
    assert told in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_unit_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="`d` is no unit of times"):
        list(blocks_in(written(tmp_path / "a.lp", "m v=1 1\n"), Reading(precision="d")))


def test_many_lines_of_a_recording_are_points_in_their_order_whatever_the_blocks(tmp_path: Path) -> None:
    text = (
        "# a comment\n\nm,b=2,a=1 v=1,w=2i 1\r\n  m v=1.5e3 2\n"
        'm,a=x\\ y v="a \\"word\\"",ok=t 3\nm\\,n v=-3i 4\nm v=9007199254740993i 5\n'
    )
    path = written(tmp_path / "a.lp", text)
    expected = [
        ("d", "r", b"m,a=1,b=2", 1, {"v": 1.0, "w": 2}),
        ("d", "r", b"m", 2, {"v": 1500.0}),
        ("d", "r", b"m,a=x\\ y", 3, {"v": 'a "word"', "ok": True}),
        ("d", "r", b"m\\,n", 4, {"v": -3}),
        ("d", "r", b"m", 5, {"v": 9007199254740993}),
    ]
    for rows_max in (1, 3, 100):
        assert points(blocks_in(path, Reading(dbrp=("d", "r"), rows_max=rows_max))) == expected


def test_no_time_is_taken_for_a_missing_one(tmp_path: Path) -> None:
    times_ns = [-(2**63) + 2, -(2**62), 0, 2**63 - 2]
    path = written(tmp_path / "a.lp", "".join(f"m v=1 {each}\n" for each in times_ns))
    assert [time for _, _, _, time, _ in points(blocks_in(path, Reading()))] == times_ns
