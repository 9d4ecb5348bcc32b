"""Events that were sent again count once: every order and split, whatever of them got to the topic, late or on time."""

from __future__ import annotations

import itertools
import json
import random

import oracle
import pytest
from pipeline_processing.decoding import decoded
from pipeline_processing.jobs.random_numbers import WINDOWS
from pipeline_processing.partials import ByWindow, Partial, counted, merged_by_window, partials
from pipeline_processing.window_rows import Row, finished
from pipeline_queue.brokers import Record
from pipeline_queue.codec import REPEATED
from pipeline_queue.events import event_id
from pipeline_queue.topics import RANDOM_NUMBERS

S = 1_000_000_000
NOON_NS = 1_790_000_000 * S
REMEMBERED_NS = 1800 * S


def record(seq: int, *, append_s: float, again: bool = False, time_s: float = 0.0, producer: str = "p") -> Record:
    """One event of `time_s` after noon, appended `append_s` after noon."""
    event = {
        "event_id": event_id(producer, seq),
        "time_ns": NOON_NS + round(time_s * S),
        "producer": producer,
        "seq": seq,
        "value": float(seq),
    }
    return Record(
        topic=RANDOM_NUMBERS.name,
        partition=0,
        offset=0,
        append_time_ns=NOON_NS + round(append_s * S),
        value=json.dumps(event, separators=(",", ":")).encode() + b"\n",
        headers=(REPEATED,) if again else (),
    )


def parts_of(records: list[Record]) -> ByWindow:
    events, letters = decoded(WINDOWS, records)
    assert letters == []
    return partials(events, WINDOWS, remembered_ns=REMEMBERED_NS)


def rows_of(batches: list[list[Record]]) -> dict[int, Row]:
    """The windows that count something, from batches of records that are each summed up apart."""
    by_window = merged_by_window(map(parts_of, batches))
    rows = [finished(window, parts, WINDOWS, written_ns=0) for window, parts in by_window.items()]
    return {row["window_start_ns"]: row for row in rows if row and row["count"] + row["late"]}


def counts(batches: list[list[Record]]) -> dict[int, tuple[int, int]]:
    """Events on time and late, by the second after noon."""
    return {(at - NOON_NS) // S: (row["count"], row["late"]) for at, row in rows_of(batches).items()}


FIRST, AGAIN = record(1, append_s=1), record(1, append_s=2, again=True)
LATE, LATE_AGAIN = record(1, append_s=20), record(1, append_s=30, again=True)
STORIES = {
    "both on time": ([FIRST, AGAIN], {0: (1, 0)}),
    "the repeat is late": ([FIRST, LATE_AGAIN], {0: (1, 0)}),
    "both late": ([LATE, LATE_AGAIN], {20: (0, 1)}),
    "the first one never came": ([AGAIN], {0: (1, 0)}),
    "the first one never came, the repeat is late": ([LATE_AGAIN], {0: (0, 1)}),
    "three times on time": ([FIRST, AGAIN, AGAIN], {0: (1, 0)}),
    "two repeats without a first one": ([AGAIN, AGAIN], {0: (1, 0)}),
    "two repeats, one late": ([AGAIN, LATE_AGAIN], {0: (1, 0)}),
    "two late repeats": ([LATE_AGAIN, LATE_AGAIN], {0: (0, 1)}),
    "beside others": ([record(0, append_s=1), record(2, append_s=1), AGAIN, FIRST], {0: (3, 0)}),
    "of another producer": ([FIRST, record(1, append_s=2, again=True, producer="q")], {0: (2, 0)}),
}


@pytest.mark.parametrize("story", STORIES)
def test_an_event_counts_once_in_every_order_and_every_split(story: str) -> None:
    records, expected = STORIES[story]
    for order in itertools.permutations(records):
        splits = ([list(order)], [[each] for each in order], [list(order[:1]), list(order[1:])])
        assert [counts(batches) for batches in splits] == [expected] * 3


def test_of_a_parcel_that_got_there_in_part_the_rest_counts_by_its_repeat() -> None:
    first = [record(seq, append_s=1) for seq in range(6)]
    again = [record(seq, append_s=2, again=True) for seq in range(3, 10)]
    assert counts([first, again]) == {0: (10, 0)}
    assert rows_of([first, again])[NOON_NS]["sum"] == sum(range(10))


def test_what_came_too_late_for_spark_to_remember_is_counted_when_it_came() -> None:
    old = REMEMBERED_NS / S + 1
    assert counts([[record(1, append_s=old)], [record(1, append_s=old + 5, again=True)]]) == {
        int(old): (0, 1),
        int(old) + 5: (0, 1),
    }


def test_a_window_that_only_holds_events_counted_elsewhere_has_no_row() -> None:
    (part,) = parts_of([LATE])[NOON_NS, ""]
    assert finished((NOON_NS, ""), [part], WINDOWS, written_ns=0) is None


def test_a_row_that_a_repeat_filled_is_emptied_when_the_event_is_met_elsewhere() -> None:
    parts = [*parts_of([AGAIN])[NOON_NS, ""], *parts_of([LATE])[NOON_NS, ""]]
    row = finished((NOON_NS, ""), parts, WINDOWS, written_ns=0)
    assert (row["count"], row["late"], row["mean"]) == (0, 0, None)


def test_partials_without_repeats_are_merged_as_they_are() -> None:
    assert counted([Partial(late=1), Partial(late=2)]).late == 3


@pytest.mark.parametrize("seed", range(10))
def test_windows_equal_a_count_of_ids_whatever_reached_the_topic_and_in_whichever_order(seed: int) -> None:
    pick, records = random.Random(seed), []
    for seq in range(200):
        time_s, first_s = pick.random() * 3, pick.choice([4, 20])
        there = pick.random() < 0.7
        again = pick.choice([0, 1, 2]) if there else pick.choice([1, 2])
        records += [record(seq, append_s=first_s, time_s=time_s)] if there else []
        records += [
            record(seq, append_s=first_s + pick.choice([1, 30]), time_s=time_s, again=True) for _ in range(again)
        ]
    pick.shuffle(records)
    raw = [(each.append_time_ns, each.value, REPEATED in each.headers) for each in records]
    expected, rows = oracle.windows(oracle.events(raw)), rows_of([records[start::4] for start in range(4)])
    assert rows.keys() == expected.keys()
    for start_ns, window in expected.items():
        row = rows[start_ns]
        assert oracle.same(window, row)
