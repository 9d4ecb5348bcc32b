"""Windows as lines in a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyarrow as pa
from pipeline_display.ends import end_of_table, rows_by_table
from pipeline_display.tail import heading, lines
from pipeline_output.stores import open_store
from pipeline_output.tables import MONITORING_WINDOWS, RANDOM_NUMBERS_WINDOWS, TABLES, arrow_schema

NS = 1_000_000_000
WINDOW = {
    "window_start_ns": 1_700_000_001 * NS,
    "count": 1234,
    "late": 0,
    "ids": "p:0-1233",
    "mean": 0.5,
    "standard_deviation": 1.25,
    "sum": 617,
    "min": -2,
    "max": 3,
    "p50": 0.5,
    "p90": 1,
    "p99": None,
}


HOST_WINDOW = {
    "window_start_ns": 1_700_000_005 * NS,
    "host": "here",
    "tumbling": True,
    "count": 5,
    "late": 1,
    "ids": "p:0-5",
    "busy_mean": 12.345,
    "busy_standard_deviation": 1.5,
    "busy_min": 10.0,
    "busy_max": 14.0,
    "waiting_mean": None,
    "free_mean": 8_123_456.25,
    "free_min": 8_000_000.0,
    "free_max": 9_000_000.0,
    "buffers_mean": 250.0,
    "cache_mean": 2_000_000.5,
}


def test_a_window_is_a_line_below_its_headings() -> None:
    (line,) = lines(RANDOM_NUMBERS_WINDOWS, [json.dumps({"rows": [WINDOW]}).encode()])
    figures = ["0.5000", "1.2500", "617.0000", "-2.0000", "3.0000", "0.5000", "1.0000", "-"]
    assert line.split()[1:] == ["1,234", "0", *figures]
    assert len(line) == len(heading(RANDOM_NUMBERS_WINDOWS))


def test_a_host_s_window_says_whose_it_is_and_leaves_extremes_to_the_page() -> None:
    (line,) = lines(MONITORING_WINDOWS, [json.dumps({"rows": [HOST_WINDOW]}).encode()])
    headings = ["host", "tumbling", "count", "late", "busy", "busy_sd", "waiting", "free", "buffers", "cache"]
    figures = ["12.35", "1.50", "-", "8,123,456", "250", "2,000,000"]
    assert (heading(MONITORING_WINDOWS).split()[1:], line.split()[1:]) == (
        headings,
        ["here", "yes", "5", "1", *figures],
    )
    assert len(line) == len(heading(MONITORING_WINDOWS)) <= 120


def age_row(year: int, sex: str, people: int, mean: float) -> dict[str, object]:
    times = {"year_start_ns": (year - 1970) * 365 * 24 * 3600 * NS, "written_ns": 1}
    return {**times, "year": year, "sex": sex, "people": people, "mean": mean, "standard_deviation": 22.5}


def test_a_table_shows_its_end_below_its_columns() -> None:
    rows = [age_row(year, sex, 1_000_000 + year, 36.5) for year in range(2000, 2010) for sex in ("female", "male")]
    found = rows_by_table([json.dumps({"table": "census_age", "rows": rows}).encode()])
    shown = list(end_of_table(TABLES["census_age"], found["census_age"]))
    assert [shown[0], shown[1].split(), shown[-1].split(), len(shown)] == [
        "==> census_age: the last 12 of 20 rows <==",
        ["year", "sex", "people", "mean", "standard_deviation"],
        ["2009", "male", "1,002,009", "36.50", "22.50"],
        14,
    ]
    assert {len(line) for line in shown[1:]} == {len(shown[1])}


def test_a_demo_without_a_table_is_refused_with_those_that_have_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline_display.tail", "demo1"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        1,
        "usage: python -m pipeline_display.tail {demo3,demo4,demo5,demo6,demo7,demo8}\n",
    )


def test_a_census_demo_prints_the_ends_of_its_tables_until_it_is_stopped(tmp_path: Path) -> None:
    url = f"disk://{tmp_path}"
    with closing(open_store(url)) as store:
        store.create([TABLES["census_age"]])
        rows = [age_row(2000, "female", 3, 1.5)]
        store.write(TABLES["census_age"], pa.Table.from_pylist(rows, schema=arrow_schema(TABLES["census_age"])), 1)
    command = [sys.executable, "-m", "pipeline_display.tail", "demo4"]
    environment = os.environ | {"STORES": url}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        said = [running.stdout.readline().split() for _ in range(3)]
        running.send_signal(signal.SIGINT)
    assert (said[1:], running.returncode) == (
        [["year", "sex", "people", "mean", "standard_deviation"], ["2000", "female", "3", "1.50", "22.50"]],
        0,
    )
