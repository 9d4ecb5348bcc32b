"""Windows as a feed: the recent past once, then only what changed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pipeline_display.feeds import thinned
from pipeline_display.feeds.windows import ROWS_PER_FRAME_MAX, WindowReader
from pipeline_output.errors import TableMissing
from pipeline_output.stores import Store, open_store
from pipeline_output.tables import MONITORING_WINDOWS, Table, arrow_schema
from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS as TABLE
from running_display import host_window

NS = 1_000_000_000
NOW_NS = time.time_ns() // NS * NS


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/windows.db"


@pytest.fixture
def store(url: str) -> Store:
    store = open_store(url)
    store.create([TABLE, MONITORING_WINDOWS])
    return store


def window(age_s: int, **figures: Any) -> dict[str, Any]:
    """The window that began `age_s` ago: one number, 1.0, unless told otherwise."""
    start_ns = NOW_NS - age_s * NS
    ones = dict.fromkeys(("mean", "sum", "min", "max", "p50", "p90", "p99"), 1.0)
    times = {
        "window_start_ns": start_ns,
        "window_end_ns": start_ns + NS,
        "newest_event_ns": start_ns,
        "written_ns": NOW_NS,
    }
    return {**times, "count": 1, "late": 0, "ids": "p:0-0", "standard_deviation": 0.0, **ones, **figures}


def write(store: Store, *rows: dict[str, Any], table: Table = TABLE, version: int = 1) -> None:
    store.write(table, pa.Table.from_pylist(list(rows), schema=arrow_schema(table)), version)


def reader_of(url: str, table: Table = TABLE) -> WindowReader:
    return WindowReader(url, table, history_s=3600.0, sleep=lambda _: None)


def seen(reader: WindowReader) -> list[tuple[int, int]]:
    """Age in s and count of each row in the next look's frames."""
    rows = [row for body in reader.look().bodies for row in json.loads(body)["rows"]]
    return [((NOW_NS - row["window_start_ns"]) // NS, row["count"]) for row in rows]


def test_the_recent_past_comes_first_then_only_windows_that_changed(url: str, store: Store) -> None:
    write(store, window(3), window(2), window(1))
    reader = reader_of(url)
    past = seen(reader)
    write(store, window(1, count=5), window(0), version=2)
    assert (past, seen(reader), seen(reader)) == ([(3, 1), (2, 1), (1, 1)], [(1, 5), (0, 1)], [])


def test_windows_older_than_the_history_are_left_out(url: str, store: Store) -> None:
    write(store, window(10_000), window(1))
    assert seen(reader_of(url)) == [(1, 1)]


def test_a_window_long_past_that_changes_is_sent_again(url: str, store: Store) -> None:
    write(store, window(40), window(1))
    reader = reader_of(url)
    seen(reader)
    write(store, window(40, late=2), version=2)
    reader._whole_due_s = 0.0
    assert seen(reader) == [(40, 1)]


def test_a_window_of_late_numbers_only_has_no_figures_and_stops_nothing(url: str, store: Store) -> None:
    empty = dict.fromkeys(("mean", "standard_deviation", "sum", "min", "max", "p50", "p90", "p99", "newest_event_ns"))
    write(store, window(1, count=0, late=3, **empty))
    (body,) = reader_of(url).look().bodies
    (row,) = json.loads(body)["rows"]
    assert (row["count"], row["late"], row["mean"], row["newest_event_ns"]) == (0, 3, None, None)


def test_a_long_past_is_cut_into_frames(url: str, store: Store) -> None:
    write(store, *(window(age_s) for age_s in range(50, 0, -1)))
    frames = [json.loads(body)["rows"] for body in reader_of(url).look().bodies]
    assert [len(rows) <= ROWS_PER_FRAME_MAX for rows in frames] == [True] * len(frames)
    assert sum(map(len, frames)) == 50


def test_a_table_that_is_not_laid_out_yet_is_waited_for(url: str) -> None:
    reader = reader_of(url)
    before = seen(reader)
    store = open_store(url)
    store.create([TABLE])
    write(store, window(1))
    assert (before, seen(reader)) == ([], [(1, 1)])


def test_a_table_that_was_there_and_is_gone_is_away(url: str, store: Store, tmp_path: Path) -> None:
    write(store, window(1))
    reader = reader_of(url)
    seen(reader)
    reader.let_go()
    for file in tmp_path.glob("windows.db*"):
        file.unlink()
    with pytest.raises(TableMissing):
        reader.look()


def test_a_feed_that_lost_its_store_sends_nothing_twice(url: str, store: Store) -> None:
    write(store, window(1))
    reader = reader_of(url)
    before = seen(reader)
    reader.let_go()
    write(store, window(0), version=2)
    assert (before, seen(reader)) == ([(1, 1)], [(0, 1)])


def test_two_hosts_windows_of_one_time_are_two_rows_and_each_changes_alone(url: str, store: Store) -> None:
    start_ns = NOW_NS - 3 * NS
    write(store, host_window(start_ns, "a"), host_window(start_ns, "b"), table=MONITORING_WINDOWS)
    reader = reader_of(url, MONITORING_WINDOWS)

    def busy() -> list[tuple[str, float]]:
        rows = [row for body in reader.look().bodies for row in json.loads(body)["rows"]]
        return [(row["host"], row["busy_mean"]) for row in rows]

    past = busy()
    write(store, host_window(start_ns, "b", busy=30.0), table=MONITORING_WINDOWS, version=2)
    assert (past, busy(), busy()) == ([("a", 20.0), ("b", 20.0)], [("b", 30.0)], [])


def test_a_thumbnail_gets_the_rows_at_once_and_then_waits_a_second_however_often_they_change(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thinned, "EVERY_S", 3600.0)  # no second passes here, however slow the machine
    write(store, window(3), window(2))
    reader = reader_of(url)
    thumbnails = [reader.look().thumbnail]
    for version in (2, 3, 4):
        write(store, window(3, count=version), version=version)
        thumbnails.append(reader.look().thumbnail)
    rows = [[row["count"] for body in bodies for row in json.loads(body)["rows"]] for bodies in thumbnails]
    assert rows == [[1, 1], [], [], []]
