"""Partial results and windows of random numbers against the standard library's `statistics`."""

from __future__ import annotations

import math
import random
import statistics

import numpy as np
import pytest
from pipeline_processing.jobs.random_numbers import WINDOWS
from pipeline_processing.partials import Events, Partial, merged_by_window
from pipeline_processing.partials import partials as partials_of
from pipeline_processing.window_rows import Row, finished

S = 1_000_000_000
START_NS = 1_790_000_000 * S


def events_of(rows: list[tuple[int, float]], late: bool = False, append_ns: int = START_NS) -> Events:
    return Events(
        time_ns=np.array([time_ns for time_ns, _ in rows], dtype=np.int64),
        append_time_ns=np.full(len(rows), append_ns, dtype=np.int64),
        late=np.full(len(rows), late),
        repeated=np.full(len(rows), False),
        seq=np.arange(len(rows)),
        producer=np.zeros(len(rows), dtype=np.int64),
        producers=["p"],
        group=np.zeros(len(rows), dtype=np.int64),
        groups=[""],
        values=[np.array([value for _, value in rows], dtype=np.float64)],
    )


def partials(events: Events) -> dict[int, list[Partial]]:
    """By the window's start."""
    found = partials_of(events, WINDOWS, remembered_ns=1800 * S)
    return {start_ns: parts for (start_ns, _), parts in found.items()}


def row_of(start_ns: int, parts: list[Partial], *, written_ns: int = 0) -> Row | None:
    return finished((start_ns, ""), parts, WINDOWS, written_ns=written_ns)


def some_rows(seed: int) -> list[tuple[int, float]]:
    pick = random.Random(seed)
    offset = pick.choice([0.0, 1e6, -1e9])
    return [(START_NS + pick.randrange(3 * S), offset + pick.gauss(0, 1)) for _ in range(900)]


def rows_of(by_window: dict[int, list[Partial]]) -> dict[int, Row]:
    return {start: row_of(start, parts) for start, parts in by_window.items()}


@pytest.mark.parametrize("seed", range(5))
def test_a_window_says_what_statistics_says_about_its_second(seed: int) -> None:
    rows = some_rows(seed)
    found = rows_of(partials(events_of(rows)))
    for start in (START_NS, START_NS + S, START_NS + 2 * S):
        values = [value for time_ns, value in rows if start <= time_ns < start + S]
        row = found.pop(start)
        assert (row["count"], row["min"], row["max"]) == (len(values), min(values), max(values))
        assert row["newest_event_ns"] == max(time_ns for time_ns, _ in rows if start <= time_ns < start + S)
        assert row["sum"] == math.fsum(values)
        assert row["mean"] == pytest.approx(statistics.fmean(values), rel=1e-12)
        assert row["standard_deviation"] == pytest.approx(statistics.pstdev(values), rel=1e-9)
    assert found == {}


@pytest.mark.parametrize("seed", range(5))
def test_no_split_and_no_order_of_the_events_changes_a_window(seed: int) -> None:
    pick, rows = random.Random(seed), some_rows(seed)
    whole = rows_of(partials(events_of(rows)))
    pick.shuffle(rows)
    cuts = sorted(pick.randrange(len(rows)) for _ in range(5))
    parts = [partials(events_of(rows[since:to])) for since, to in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    pick.shuffle(parts)
    split = rows_of(merged_by_window(parts))
    assert split.keys() == whole.keys()
    for start, row in split.items():
        numbers = row.keys() - {"ids"}  # which are places in the rows here, other ones after each shuffle
        assert [row[name] for name in numbers] == pytest.approx([whole[start][name] for name in numbers], rel=1e-9)
        exact = ("count", "late", "min", "max", "p50", "p90", "p99", "newest_event_ns")
        assert [row[name] for name in exact] == [whole[start][name] for name in exact]


def test_merging_the_same_parts_in_another_order_changes_no_bit() -> None:
    parts = [partials(events_of([(START_NS, 10.0**power)]))[START_NS][0] for power in range(-8, 9)]
    rows = []
    for seed in range(10):
        random.Random(seed).shuffle(parts)
        rows.append(row_of(START_NS, parts))
    assert all(row == rows[0] for row in rows)


def test_a_late_event_is_counted_in_the_second_of_its_append_and_enters_nothing_else() -> None:
    append_ns = START_NS + 30 * S + 5
    rows = rows_of(partials(events_of([(START_NS, 1e6)], late=True, append_ns=append_ns)))
    row = rows.pop(START_NS + 30 * S)
    assert rows == {START_NS: None}  # there it is only held
    assert (row["count"], row["late"], row["mean"], row["newest_event_ns"]) == (0, 1, None, None)


def test_late_and_timely_events_of_one_second_share_its_window() -> None:
    both = merged_by_window(
        [partials(events_of([(START_NS, 2.0)])), partials(events_of([(START_NS - 60 * S, 9.0)], late=True))]
    )
    rows = rows_of(both)
    row = rows.pop(START_NS)
    assert (rows, row["count"], row["late"], row["max"]) == ({START_NS - 60 * S: None}, 1, 1, 2.0)


def test_events_before_1970_fall_into_the_second_that_holds_them() -> None:
    assert list(partials(events_of([(-1, 1.0)]))) == [-S]


def test_numbers_whose_squares_exceed_a_double_leave_empty_figures_and_stop_nothing() -> None:
    parts = [partials(events_of([(START_NS, 1.7e308), (START_NS, 1.7e308)]))[START_NS][0] for _ in range(3)]
    row = row_of(START_NS, parts)
    assert (row["count"], row["max"], row["sum"], row["standard_deviation"]) == (6, 1.7e308, None, None)
    assert row["p50"] == pytest.approx(1.7e308, rel=0.01)


def test_opposite_numbers_at_the_limit_leave_empty_figures_too() -> None:
    row = row_of(START_NS, partials(events_of([(START_NS, 1.7e308), (START_NS, -1.7e308)]))[START_NS])
    assert (row["mean"], row["standard_deviation"]) == (0.0, None)
