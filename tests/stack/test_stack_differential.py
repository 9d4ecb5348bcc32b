"""The same input gives the same rows in both runtimes: Kafka, the cluster and Cassandra against the embedded log, one process and SQLite.

The stack's producers, and a publisher of late, repeated and broken lines, are stopped. When every query has committed all that
there is, the records of the last minutes are copied into an embedded log with their append times, keys and headers, the
embedded driver computes them, and its rows are compared with those that the stack's stores hold. `written_ns` alone may differ.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import pytest
from pipeline_output.stores import open_store
from pipeline_output.tables import MONITORING_WINDOWS, RANDOM_NUMBERS_WINDOWS, TABLES
from pipeline_queue.brokers import Message, Record
from pipeline_queue.brokers.sqlite import SqliteBroker
from pipeline_queue.clock import ManualClock
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION, MONITORING, RANDOM_NUMBERS, TOPICS
from running_driver import COMMITTED_WITHIN_S, Folder, ended
from running_stack import Stack
from stack_reading import behind, records, rows
from waiting import until

pytestmark = pytest.mark.engine

NS = 1_000_000_000
STORES = ("disk:///data/disk", "cassandra://cassandra:9042/pipeline")
STREAMED = (RANDOM_NUMBERS.name, MONITORING.name)
WHOLE = (CENSUS_POPULATION.name, CENSUS_INCOME.name)
WINDOWS = (RANDOM_NUMBERS_WINDOWS, MONITORING_WINDOWS)
CENSUS = {"census_population": 4242, "census_age": 63, "census_income": 57}
"""Its tables and how many rows each has."""
BEFORE_S = 75
"""What is copied begins so long before the oddities, which reach back 40 s: some 10,000 records in all."""
BORDER_S = 15
"""Windows that begin so soon after the cut are left out: what they hold may have been appended before it."""
WINDOWS_MIN = 30
COMPUTED_WITHIN_S = 420
CAUGHT_UP_WITHIN_S = 300
NEAR = ("mean", "_deviation", "sum")
"""How the names end of what is added up in another order by each runtime."""

ODDITIES = """
import time
from pipeline_queue.brokers import Message, open_broker
from pipeline_queue.codec import as_repeated, blocks
from pipeline_queue.events import event_id, event_type, new_producer
from pipeline_queue.topics import RANDOM_NUMBERS as TOPIC
def made(producer, count):
    ages = [(seq, time.time_ns() - seq * 10**9) for seq in range(count)]
    some = [dict(event_id=event_id(producer, seq), time_ns=ns, producer=producer, seq=seq) for seq, ns in ages]
    return blocks(TOPIC, [event_type(TOPIC)(**each, value=each["seq"] / 7) for each in some])
first, lost = made(new_producer("differential"), 40), made(new_producer("differential"), 40)
broker = open_broker("kafka://kafka:9092")
broker.publish(TOPIC.name, first)
broker.publish(TOPIC.name, [as_repeated(each) for each in (*first, *lost)])
broker.publish(TOPIC.name, [Message(value=b"{broken")])
"""
"""Forty events, one from each of the last seconds, so most are late; they again; forty whose first attempt got lost; no event."""

Tables = Mapping[str, Sequence[dict]]
Rows = dict[tuple, dict]
"""By key."""


@dataclass(frozen=True, kw_only=True)
class Both:
    """What either runtime was given, by topic, and what it made of it, by store and table."""

    given: Mapping[str, Sequence[Record]]
    copied: Mapping[str, Sequence[Record]]
    stack: Mapping[str, Mapping[str, Rows]]
    embedded: Mapping[str, Mapping[str, Rows]]


@pytest.fixture(scope="module")
def both(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Both:
    since_ns = time.time_ns() - BEFORE_S * NS
    stack.python("display", ODDITIES)
    assert until(lambda: enough(stack, since_ns), COMPUTED_WITHIN_S, pause_s=1)
    stack.command("stop", "input-random-numbers", "input-monitoring")
    assert until(lambda: not behind(stack), CAUGHT_UP_WITHIN_S, pause_s=1), behind(stack)
    given: dict[str, list[Record]] = {topic: [] for topic in (*STREAMED, *WHOLE)}
    for record in (*records(stack, *STREAMED, since_ns=since_ns), *records(stack, *WHOLE)):
        given[record.topic].append(record)
    in_stack = rows(stack, STORES, TABLES)
    stack.command("start", "input-random-numbers", "input-monitoring")
    folder = Folder(tmp_path_factory.mktemp("differential"))
    copied = copy(folder, given)
    embedded = computed(folder)
    whole_from_ns = since_ns + BORDER_S * NS
    return Both(
        given=given,
        copied=copied,
        stack={store: settled(tables, whole_from_ns) for store, tables in in_stack.items()},
        embedded={store: settled(tables, whole_from_ns) for store, tables in embedded.items()},
    )


def enough(stack: Stack, since_ns: int) -> bool:
    """Whether there are windows to compare, and the whole census in either store."""
    streamed = rows(stack, STORES[:1], [table.name for table in WINDOWS], since_ns)[STORES[0]]
    if any(len(found) < WINDOWS_MIN + BORDER_S for found in streamed.values()):
        return False
    return all(census_is_whole(tables) for tables in rows(stack, STORES, CENSUS).values())


def census_is_whole(tables: Tables) -> bool:
    return all(len(tables[name]) == count for name, count in CENSUS.items())


def copy(folder: Folder, given: Mapping[str, Sequence[Record]]) -> dict[str, list[Record]]:
    """What the embedded log holds after it was given the same at the same times."""
    clock = ManualClock()
    with closing(SqliteBroker(folder.path / "queue", clock=clock)) as broker:
        broker.create(TOPICS.values())
        for topic, found in given.items():
            ordered = sorted(found, key=lambda record: (record.append_time_ns, record.partition, record.offset))
            for append_time_ns, at_once in itertools.groupby(ordered, lambda record: record.append_time_ns):
                clock.time_ns = append_time_ns
                messages = [Message(key=each.key, value=each.value, headers=each.headers) for each in at_once]
                broker.publish(topic, messages)
        return {topic: broker.read(topic, broker.begin_offsets(topic), limit=len(given[topic]) + 1) for topic in given}


def computed(folder: Folder) -> dict[str, Tables]:
    """The rows of each store once the queries have committed all, and the census is whole."""
    driver = folder.start()
    try:
        folder.wait_committed(driver)
        urls = folder.stores.values()
        assert until(lambda: all(census_is_whole(stored(url)) for url in urls), COMMITTED_WITHIN_S), folder.log()[
            -3000:
        ]
        return {store: stored(url) for store, url in folder.stores.items()}
    finally:
        ended(driver)


def stored(url: str) -> Tables:
    with closing(open_store(url)) as store:
        store.create(TABLES.values())
        return {name: store.read(table).to_pylist() for name, table in TABLES.items()}


def settled(tables: Tables, from_ns: int) -> dict[str, Rows]:
    """By key, without the windows that begin before then; the census has no border, as all of it was copied."""
    return {
        name: {
            tuple(row[part] for part in TABLES[name].key): {
                column: row[column] for column in row.keys() - {"written_ns"}
            }
            for row in found
            if row.get("window_start_ns", from_ns) >= from_ns
        }
        for name, found in tables.items()
    }


def test_both_were_given_the_same_records(both: Both) -> None:
    assert {topic: told(found) for topic, found in both.copied.items()} == {
        topic: told(found) for topic, found in both.given.items()
    }


def told(found: Sequence[Record]) -> list[tuple]:
    """By partition and in its order, all but the offset: a copy starts at 0."""
    ordered = sorted(found, key=lambda record: (record.partition, record.offset))
    return [(each.partition, each.append_time_ns, each.key, each.value, each.headers) for each in ordered]


@pytest.mark.parametrize("url", STORES)
@pytest.mark.parametrize("name", TABLES)
def test_the_same_input_gives_the_same_rows(both: Both, name: str, url: str) -> None:
    found = both.stack[url][name]
    assert len(found) >= WINDOWS_MIN
    assert {store: differing(found, tables[name]) for store, tables in both.embedded.items()} == {
        store: {} for store in both.embedded
    }


def differing(ours: Rows, theirs: Rows) -> dict[tuple, tuple]:
    return {
        key: (ours.get(key), theirs.get(key))
        for key in ours.keys() | theirs.keys()
        if key not in ours or key not in theirs or not same(ours[key], theirs[key])
    }


def same(one: dict, other: dict) -> bool:
    """Equal but for what is added up, which is equal within 1e-9."""
    return one.keys() == other.keys() and all(
        math.isclose(one[name], other[name], rel_tol=1e-9, abs_tol=1e-9)
        if name.endswith(NEAR) and None not in (one[name], other[name])
        else one[name] == other[name]
        for name in one
    )


def test_late_events_and_repeats_are_among_what_is_compared(both: Both) -> None:
    repeated = [record for record in both.given[RANDOM_NUMBERS.name] if dict(record.headers).get("repeated")]
    late = sum(row["late"] for row in both.stack[STORES[0]]["random_numbers_windows"].values())
    assert (len(repeated), late) >= (2, 30)
