"""Parquet files of others, whose rows are points."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pipeline_queue.errors import BadRecording
from pipeline_queue.recordings.lines import blocks_of_lines
from pipeline_queue.recordings.parquet import RecordingWriter
from pipeline_queue.recordings.soundness import sound
from pipeline_queue.recordings.tables import Rows, column_names, table_blocks

ROWS = Rows(dbrp=("d", "r"), measurement="m", time="time_ns", tags=("host",))


def kept(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def rows(path: Path, given: Rows = ROWS) -> list[dict[str, Any]]:
    """What each point has, without what it lacks."""
    found = [row for block in table_blocks(path, given) for row in block.batch.to_pylist()]
    return [{name: value for name, value in row.items() if value is not None} for row in found]


def test_rows_are_points_whose_strings_are_tags_where_that_is_said(tmp_path: Path) -> None:
    path = kept(
        tmp_path / "a.parquet",
        time_ns=[3, 1],
        host=["a", None],
        note=["x", None],
        n=pa.array([7, 8], pa.int32()),
        v=pa.array([0.5, None], pa.float32()),
        ok=[True, False],
    )
    (block,) = table_blocks(path, ROWS)
    assert (block.database, block.retention_policy) == ("d", "r")
    assert rows(path) == [
        {"time": 3, "series": b"m,host=a", "note": "x", "n": 7, "v": 0.5, "ok": True},
        {"time": 1, "series": b"m", "n": 8, "ok": False},
    ]


def test_a_folders_files_come_in_the_order_of_their_names_and_hidden_ones_do_not(tmp_path: Path) -> None:
    for name, time in (("2.parquet", 2), ("1.parquet", 1), (".pending.parquet", 3)):
        kept(tmp_path / name, time_ns=[time], host=["a"], v=[1.0])
    assert [row["time"] for row in rows(tmp_path)] == [1, 2]
    assert column_names(tmp_path) == ["time_ns", "host", "v"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_timestamp_of_any_unit_is_a_time(tmp_path: Path, unit: str) -> None:
    at = pa.array([datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)], pa.timestamp(unit, "UTC"))
    path = kept(tmp_path / "a.parquet", at=at, v=[1])
    given = Rows(dbrp=("d", "r"), measurement="m", time="at")
    assert rows(path, given) == [{"time": 5 * 10**9, "series": b"m", "v": 1}]


def test_a_recording_of_ours_keeps_what_its_points_are(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "r.parquet")
    for block in blocks_of_lines("cpu,host=b v=2i 7", ("telegraf", "week"), "n"):
        writer.add(block)
    writer.finish()
    (block,) = table_blocks(tmp_path / "r.parquet", ROWS)
    assert (block.database, block.batch.to_pylist()) == ("telegraf", [{"time": 7, "series": b"cpu,host=b", "v": 2}])


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"at": [1], "host": ["a"]}, "it has no column `time_ns`; there are at, host"),
        ({"time_ns": [1], "rack": ["a"]}, "it has no column `host`"),
        ({"time_ns": [1.5], "host": ["a"]}, "`time_ns` is double, and no time"),
        ({"time_ns": pa.array([1, None], pa.int64()), "host": ["a", "b"]}, "a row has no `time_ns`"),
        ({"time_ns": [1], "host": ["a"], "l": [[1]]}, "`l` is list<"),
    ],
)
def test_files_that_are_no_points_say_why(tmp_path: Path, columns: dict[str, Any], told: str) -> None:
    path = kept(tmp_path / "a.parquet", **columns)
    with pytest.raises(BadRecording) as refusal:
        rows(path)
    assert str(refusal.value).startswith(f"{path}: {told}")


def test_a_folder_without_parquet_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match=r"no file in it ends with \.parquet"):
        rows(tmp_path)
    (tmp_path / "a.parquet").write_text("nothing")
    for look in (rows, column_names):
        with pytest.raises(BadRecording, match="cannot be read"):
            look(tmp_path)


@pytest.mark.parametrize("key", [b"", b"m,host", b"m,b=1,a=1", b"m,host=a\\", b"m,host=\xff"])
def test_a_series_that_nothing_could_have_written_is_refused(key: bytes) -> None:
    (block,) = blocks_of_lines("m v=1 1", ("d", "r"), "n")
    series = pa.array([key], pa.binary()).dictionary_encode()
    wrong = type(block)("d", "r", block.batch.set_column(1, "series", series))
    with pytest.raises(BadRecording, match="is no series"):
        list(sound([block, wrong]))
