"""Tables that settle, as a feed: everything once, then what a run changed, for ever kept and cheaply looked for."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pipeline_display.delivery import Delivery, Follow
from pipeline_display.feeds.feed import Batch, Feed
from pipeline_display.feeds.ring import Ring
from pipeline_display.feeds.settled import ROWS_PER_FRAME_MAX, SettledReader
from pipeline_display.wakeup import Bell
from pipeline_output.errors import StoreUnavailable, TableMissing
from pipeline_output.stores import Store, open_store
from pipeline_output.tables import TABLES as DECLARED
from pipeline_output.tables import Table, arrow_schema

YEAR_NS = 365 * 24 * 3600 * 10**9
POPULATION, AGE = TABLES = (DECLARED["census_population"], DECLARED["census_age"])
Seen = list[tuple[str, int, int]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/census.db"


@pytest.fixture
def store(url: str) -> Store:
    store = open_store(url)
    store.create(TABLES)
    return store


def person(age: int, people: int = 1, *, run: int = 1) -> dict[str, Any]:
    """The row of that age in the one year of these tests, computed by that run."""
    return {
        "year_start_ns": 30 * YEAR_NS,
        "year": 2000,
        "sex": "female",
        "age": age,
        "people": people,
        "written_ns": run,
    }


def mean_age(*, run: int = 1) -> dict[str, Any]:
    row = person(0, run=run)
    del row["age"]
    return row | {"mean": 0.5, "standard_deviation": 0.0}


def write(store: Store, table: Table, *rows: dict[str, Any], version: int = 1) -> None:
    store.write(table, pa.Table.from_pylist(list(rows), schema=arrow_schema(table)), version)


def reader_of(url: str) -> SettledReader:
    return SettledReader(url, TABLES, sleep=lambda _: None)


def seen(batch: Batch) -> Seen:
    """Table, age and number of people of each row in the batch's frames."""
    frames = [json.loads(body) for body in batch.bodies]
    return [(frame["table"], row.get("age", -1), row["people"]) for frame in frames for row in frame["rows"]]


def looks(reader: SettledReader, count: int) -> Seen:
    return [each for _ in range(count) for each in seen(reader.look())]


def test_everything_comes_once_then_nothing(url: str, store: Store) -> None:
    write(store, POPULATION, person(0), person(1))
    write(store, AGE, mean_age())
    reader = reader_of(url)
    first = reader.look()
    assert (seen(first), first.is_whole) == (
        [("census_population", 0, 1), ("census_population", 1, 1), ("census_age", -1, 1)],
        True,
    )
    assert looks(reader, 3) == []


def test_what_a_run_wrote_anew_comes_again_and_the_other_table_does_not(url: str, store: Store) -> None:
    write(store, POPULATION, *(person(age) for age in range(5)))
    write(store, AGE, mean_age())
    reader = reader_of(url)
    looks(reader, 2)
    write(store, AGE, mean_age(run=2), version=2)
    batch = reader.look()
    assert (seen(batch), batch.is_whole, looks(reader, 3)) == ([("census_age", -1, 1)], False, [])


def test_a_run_that_is_still_writing_is_followed_to_its_end(url: str, store: Store) -> None:
    """The first row is written first here; what follows it must not be missed."""
    write(store, POPULATION, *(person(age) for age in range(4)))
    reader = reader_of(url)
    looks(reader, 2)
    write(store, POPULATION, person(0, 7, run=2), version=2)
    begun = seen(reader.look())
    write(store, POPULATION, person(3, 8, run=2), version=2)
    assert (begun, looks(reader, 3)) == ([("census_population", 0, 7)], [("census_population", 3, 8)])


def test_a_look_at_what_has_settled_reads_the_first_row_only_and_a_reading_of_everything_finds_the_rest(
    url: str, store: Store
) -> None:
    write(store, POPULATION, *(person(age) for age in range(4)))
    reader = reader_of(url)
    looks(reader, 2)
    write(store, POPULATION, person(2, 9, run=2), version=2)
    unseen = looks(reader, 2)
    reader._whole_due_s = 0.0
    assert (unseen, seen(reader.look())) == ([], [("census_population", 2, 9)])


def test_a_large_table_is_cut_into_frames_of_bounded_size(url: str, store: Store) -> None:
    write(store, POPULATION, *(person(age) for age in range(2 * ROWS_PER_FRAME_MAX + 1)))
    sizes = [len(json.loads(body)["rows"]) for body in reader_of(url).look().bodies]
    assert sizes == [ROWS_PER_FRAME_MAX, ROWS_PER_FRAME_MAX, 1]


def test_tables_that_the_job_has_not_laid_out_yet_are_waited_for(url: str) -> None:
    reader = reader_of(url)
    before = looks(reader, 2)
    store = open_store(url)
    store.create(TABLES)
    empty = looks(reader, 2)
    write(store, AGE, mean_age())
    assert (before, empty, seen(reader.look())) == ([], [], [("census_age", -1, 1)])


def test_a_table_that_was_there_and_is_gone_is_away(url: str, store: Store, tmp_path: Path) -> None:
    write(store, AGE, mean_age())
    reader = reader_of(url)
    looks(reader, 1)
    reader.let_go()
    for file in tmp_path.glob("census.db*"):
        file.unlink()
    with pytest.raises(TableMissing):
        reader.look()


def test_a_store_that_went_away_and_came_back_as_it_was_sends_nothing_twice(
    url: str, store: Store, tmp_path: Path
) -> None:
    write(store, AGE, mean_age())
    store.close()
    reader = reader_of(url)
    looks(reader, 1)
    reader.let_go()
    (tmp_path / "census.db").rename(tmp_path / "aside")
    (tmp_path / "census.db").mkdir()
    with pytest.raises(StoreUnavailable):
        reader.look()
    (tmp_path / "census.db").rmdir()
    (tmp_path / "aside").rename(tmp_path / "census.db")
    assert looks(reader, 2) == []


def test_a_failure_between_two_tables_loses_no_row(url: str, store: Store, tmp_path: Path) -> None:
    write(store, POPULATION, person(0))
    with closing(sqlite3.connect(tmp_path / "census.db", isolation_level=None)) as file:
        file.execute("drop table census_age")
        file.execute(f"create view census_age as select abs({-(2**63)}) as year_start_ns")  # fails when it is read
        reader = reader_of(url)
        with pytest.raises(StoreUnavailable):
            reader.look()
        file.execute("drop view census_age")
    assert looks(reader, 2) == [("census_population", 0, 1)]


def kept(feed: Feed) -> list[dict[str, Any]]:
    """The rows that a page opened now is sent."""
    sent: list[Any] = []
    delivery = Delivery({"f": feed}, lambda message, _: sent.append(message))
    delivery.follow("late", [Follow(feed="f")])
    while delivery.deliver():
        delivery.drawn("late")
    frames = [frame for message in sent for part in message["parts"] for frame in part["frames"]]
    return [row for frame in frames for row in json.loads(bytes(frame))["rows"]]


def feed_of(reader: SettledReader, batches: Iterable[Batch]) -> Feed:
    feed = Feed(reader, Ring(history_s=float("inf"), bytes_max=10**7), bell=Bell(), stopping=threading.Event())
    for batch in batches:
        feed._keep(batch)
    return feed


def test_a_page_opened_after_many_runs_gets_every_row_and_no_more_than_twice_as_many(url: str, store: Store) -> None:
    write(store, POPULATION, *(person(age) for age in range(10)))
    reader = reader_of(url)
    feed = feed_of(reader, [reader.look()])
    for run in range(2, 40):
        write(store, POPULATION, *(person(age, run, run=run) for age in range(run % 3)), version=run)
        reader.let_go()
        feed._keep(reader.look())
    rows = kept(feed)
    newest = {row["age"]: row["people"] for row in rows}
    assert newest == {0: 38, 1: 38, **dict.fromkeys(range(2, 10), 1)}
    assert len(rows) < 2 * 10


def test_rows_of_long_ago_are_still_there_for_a_page_that_is_opened_now(url: str, store: Store) -> None:
    write(store, AGE, mean_age())
    feed = feed_of(reader_of(url), [])
    feed.ring.append(json.dumps({"rows": [mean_age()]}).encode(), made_ns=1)
    feed.ring.append(json.dumps({"rows": [mean_age(run=2)]}).encode(), made_ns=100 * YEAR_NS)
    assert [row["written_ns"] for row in kept(feed)] == [1, 2]


def test_a_thumbnail_gets_all_rows_of_the_newest_time_of_the_first_table_when_anything_changed(
    url: str, store: Store
) -> None:
    older = person(0) | {"year_start_ns": 29 * YEAR_NS, "year": 1999}
    write(store, POPULATION, older, person(0), person(1))
    reader = SettledReader(url, TABLES, sleep=lambda _s: None)
    shown = []
    for _ in range(2):
        shown += [[(row["year"], row["age"]) for row in json.loads(body)["rows"]] for body in reader.look().thumbnail]
    write(store, AGE, mean_age())
    shown += [[row["year"] for row in json.loads(body)["rows"]] for body in reader.look().thumbnail]
    assert shown == [[(2000, 0), (2000, 1)], [2000, 2000]]
