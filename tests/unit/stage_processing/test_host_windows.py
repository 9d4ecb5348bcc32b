"""Windows of what hosts measured: five seconds long, a new one every second."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import oracle
import pytest
from pipeline_processing.decoding import decoded
from pipeline_processing.jobs.monitoring import WINDOWS
from pipeline_processing.jobs.partial_rows import SAMPLE_LENGTH_MAX, Read, as_batch, partial_of, sample_of
from pipeline_processing.partials import merged_by_window, partials
from pipeline_processing.window_rows import Row, finished
from pipeline_processing.windows import Measure, Windows
from pipeline_queue.brokers import Record
from pipeline_queue.codec import REPEATED
from pipeline_queue.events import event_id
from pipeline_queue.topics import MONITORING, VMSTAT_COLUMNS

S = 1_000_000_000
NOON_NS = 1_790_000_000 * S  # a multiple of five seconds
NOTHING = Read(on_time=0, late=0, dead=0)


def record(seq: int, *, time_s: float, append_s: float = 9, again: bool = False, **columns: float) -> Record:
    """One sample, of host `a` unless the columns say otherwise."""
    event = {
        "event_id": event_id("p", seq),
        "time_ns": NOON_NS + round(time_s * S),
        "producer": "p",
        "seq": seq,
        "host": "a",
        **{each.name: 0 for each in VMSTAT_COLUMNS},
        **columns,
    }
    return Record(
        topic=MONITORING.name,
        partition=0,
        offset=0,
        append_time_ns=NOON_NS + round(append_s * S),
        value=json.dumps(event, separators=(",", ":")).encode() + b"\n",
        headers=(REPEATED,) if again else (),
    )


def rows_of(batches: list[list[Record]]) -> dict[tuple[int, str], Row]:
    """By the window's start in seconds after noon and its host; each batch goes the way through Spark's rows."""
    found = []
    for batch in batches:
        events, letters = decoded(WINDOWS, batch)
        assert letters == []
        found.append(_through_rows(partials(events, WINDOWS, remembered_ns=1800 * S)))
    rows = [finished(window, parts, WINDOWS, written_ns=0) for window, parts in merged_by_window(found).items()]
    return {((row["window_start_ns"] - NOON_NS) // S, row["host"]): row for row in rows if row}


def _through_rows(found: dict) -> dict:
    *rows, _ = as_batch(found, NOTHING, WINDOWS).to_pylist()
    windows = [(start_ns, host) for (start_ns, host), parts in found.items() for _ in parts]
    again: dict = {}
    for window, row in zip(windows, rows, strict=True):
        again.setdefault(window, []).append(partial_of(row, WINDOWS))
    return again


def test_a_sample_counts_in_the_five_windows_that_cover_its_time() -> None:
    rows = rows_of([[record(0, time_s=3.5)]])
    assert [(at, row["count"], row["tumbling"]) for (at, _), row in sorted(rows.items())] == [
        (-1, 1, False),
        (0, 1, True),
        (1, 1, False),
        (2, 1, False),
        (3, 1, False),
    ]


def test_a_window_says_what_was_measured_in_it() -> None:
    one = record(0, time_s=0, us=10.5, sy=4.5, wa=2, free=100, buff=7, cache=1000)
    two = record(1, time_s=4, us=30, sy=5, wa=4, free=300, buff=9, cache=3000)
    row = rows_of([[one], [two]])[0, "a"]
    assert row == {
        "window_start_ns": NOON_NS,
        "window_end_ns": NOON_NS + 5 * S,
        "host": "a",
        "tumbling": True,
        "count": 2,
        "late": 0,
        "ids": "p:0-1",
        "busy_mean": 25.0,
        "busy_standard_deviation": 10.0,
        "busy_min": 15.0,
        "busy_max": 35.0,
        "waiting_mean": 3.0,
        "free_mean": 200.0,
        "free_min": 100.0,
        "free_max": 300.0,
        "buffers_mean": 8.0,
        "cache_mean": 2000.0,
        "newest_event_ns": NOON_NS + 4 * S,
        "written_ns": 0,
    }


def test_a_late_sample_is_counted_in_the_five_windows_that_cover_its_append_and_in_nothing_else() -> None:
    rows = rows_of([[record(0, time_s=0, append_s=30.2, us=50)]])
    assert [(at, row["count"], row["late"], row["busy_mean"]) for (at, _), row in sorted(rows.items())] == [
        (at, 0, 1, None) for at in (26, 27, 28, 29, 30)
    ]


def test_a_late_sample_that_was_sent_again_finds_its_first_one_in_every_window() -> None:
    first, again = record(0, time_s=0, append_s=30), record(0, time_s=0, append_s=40, again=True)
    rows = rows_of([[first], [again]])
    assert sorted((at, row["late"]) for (at, _), row in rows.items() if row["late"]) == [
        (at, 1) for at in (26, 27, 28, 29, 30)
    ]


def test_hosts_share_no_window() -> None:
    rows = rows_of([[record(0, time_s=0, us=10, host="a"), record(1, time_s=0, us=90, host="b")]])
    assert (rows[0, "a"]["busy_mean"], rows[0, "b"]["busy_mean"], len(rows)) == (10.0, 90.0, 10)


@pytest.mark.parametrize("seed", range(10))
def test_all_windows_equal_their_recomputation_in_any_split(seed: int) -> None:
    pick, records = random.Random(seed), []
    for seq in range(150):
        columns = {
            each.name: pick.random() * 100 if each.kind == "float64" else pick.randrange(10**7)
            for each in VMSTAT_COLUMNS
        }
        shared = {"time_s": pick.random() * 12, "host": pick.choice("abc"), **columns}
        records.append(record(seq, append_s=pick.choice([13, 40]), again=pick.random() < 0.1, **shared))
        if pick.random() < 0.2:
            records.append(record(seq, append_s=pick.choice([14, 41]), again=True, **shared))
    pick.shuffle(records)
    raw = [(each.append_time_ns, each.value, REPEATED in each.headers) for each in records]
    expected, rows = oracle.host_windows(oracle.events(raw)), rows_of([records[start::5] for start in range(5)])
    counting = {(NOON_NS + at * S, host): row for (at, host), row in rows.items() if row["count"] + row["late"]}
    assert counting.keys() == expected.keys()
    assert [window for window, row in counting.items() if not oracle.same_host(expected[window], row)] == []


def test_a_sample_has_at_most_a_thousand_characters_whatever_names_and_numbers_it_holds() -> None:
    long = [
        record(seq, time_s=1, us=33.333333333333336, sy=100 / 7, free=2**62 - seq, cache=2**62)
        for seq in (1, 3, 5, 7, 9)
    ]
    events, _ = decoded(WINDOWS, long)
    named = replace(events, producers=["producer " * 100], groups=["host " * 200])
    sample = sample_of(partials(named, WINDOWS, remembered_ns=1800 * S), WINDOWS)
    assert len(sample) <= SAMPLE_LENGTH_MAX
    assert json.loads(sample)["holds"][1:] == [f"{('producer ' * 100)[:40]} {seq}" for seq in (3, 5)] + ["2 more"]


def test_a_figure_that_the_table_does_not_know_is_refused_when_it_is_declared() -> None:
    with pytest.raises(ValueError, match="has no columns busy_p50"):
        Windows(topic=MONITORING, table=WINDOWS.table, measures=(Measure(name="busy", of=("us",), figures=("p50",)),))
