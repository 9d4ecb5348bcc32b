"""The census from its files to the stores, by the real driver, against the standard library.

One story is told once and its facts are kept: the census is published twice, with repeated events, an older statement and
garbage beside it; the driver starts while one store is away, which then comes back; the job is asked for once more; then the driver is ended.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import census_oracle
import pytest
from pipeline_input import census
from pipeline_input.source import Part
from pipeline_output.errors import TableMissing
from pipeline_output.stores import open_store
from pipeline_output.tables import TABLES
from pipeline_queue.brokers import Message
from pipeline_queue.codec import blocks, encode
from pipeline_queue.dead_letters import letters
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION
from running_driver import COMMITTED_WITHIN_S, Folder, ended, on_the_path, said_unasked
from waiting import until

WHOLE = {"census_population": 4242, "census_age": 63, "census_income": 57}
ENDED_WITHIN_S = 10

Rows = dict[str, list[dict]]


@dataclass
class Story:
    """What was seen while it happened."""

    folder: Folder
    produced: list[int]
    disk_while_one_was_away: Rows
    first: dict[str, Rows]
    said: str
    second: dict[str, Rows]
    log: list[str]
    ended_in_s: float
    left_after_end: list[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = Folder(tmp_path_factory.mktemp("census"))
    folder.broker()
    produced = [pipeline(folder, "produce", "census").returncode for _ in range(2)]
    publish_oddities(folder)
    in_the_way = folder.path / "store.db"
    in_the_way.mkdir()
    driver = folder.start()
    try:
        wait_for_rows(folder, "disk")
        while_away = rows(folder, "disk")
        in_the_way.rmdir()
        wait_for_rows(folder, "sqlite")
        first = {store: rows(folder, store) for store in folder.stores}
        said = pipeline(folder, "submit", "census").stdout
        second = {store: rows(folder, store) for store in folder.stores}
        ended_in_s = ended(driver)
        yield Story(
            folder=folder,
            produced=produced,
            disk_while_one_was_away=while_away,
            first=first,
            said=said,
            second=second,
            log=folder.log().splitlines(),
            ended_in_s=ended_in_s,
            left_after_end=folder.left(),
        )
    finally:
        driver.kill()


def pipeline(folder: Folder, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline_cli", *words]
    environment = os.environ | {"QUEUE_URL": folder.queue_url}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def publish_oddities(folder: Folder) -> None:
    """Events once more with their own ids, an older statement about a cell, and lines that are none."""
    broker = folder.broker()
    older = Part(topic=CENSUS_POPULATION, producer="older", rows=[{**census.parts()[0].rows[0], "people": 1}])
    hour_ago_ns = time.time_ns() - 3600 * 10**9
    broker.publish(CENSUS_POPULATION.name, blocks(CENSUS_POPULATION, older.events(range(1), hour_ago_ns)))
    for part in census.parts():
        again = part.events(range(0, len(part.rows), 7), time.time_ns())
        broker.publish(part.topic.name, blocks(part.topic, again))
    broker.publish(CENSUS_POPULATION.name, [Message(value=line) for line in ODD_PEOPLE])
    broker.publish(CENSUS_INCOME.name, [Message(value=line) for line in ODD_INCOMES])


def odd(place: int, **changed: object) -> bytes:
    part = census.parts()[place]
    other = Part(topic=part.topic, producer="odd", rows=[{**part.rows[0], **changed}])
    return encode(other.events(range(1), time.time_ns())).rstrip()


ODD_PEOPLE = (b"{broken", odd(0, sex="both"), odd(0, age=101), odd(0, people=-1), odd(0, year=20_000))
ODD_INCOMES = (odd(1, income_group="some"), odd(1, share=1.5) + b"\n" + odd(1, income_group=""))


def rows(folder: Folder, store: str) -> Rows:
    with contextlib.closing(open_store(folder.stores[store])) as opened:
        try:
            return {name: opened.read(TABLES[name]).to_pylist() for name in WHOLE}
        except TableMissing:
            return {}


def wait_for_rows(folder: Folder, store: str) -> None:
    def counts() -> dict[str, int]:
        return {name: len(found) for name, found in rows(folder, store).items()}

    assert until(lambda: counts() == WHOLE, COMMITTED_WITHIN_S), f"{counts()}\n{folder.log()[-3000:]}"


def without_time(found: Rows) -> Rows:
    return {name: [{**row, "written_ns": 0} for row in of_table] for name, of_table in found.items()}


def near(row: dict, expected: tuple[float, float]) -> bool:
    found = (row["mean"], row["standard_deviation"])
    return all(math.isclose(one, other, rel_tol=1e-9, abs_tol=0) for one, other in zip(found, expected, strict=True))


def test_published_twice_it_ends_well_twice(story: Story) -> None:
    assert story.produced == [0, 0]


def test_a_store_that_is_away_stops_no_other(story: Story) -> None:
    assert without_time(story.disk_while_one_was_away) == without_time(story.first["disk"])


def test_the_people_of_each_age_are_the_file_s(story: Story) -> None:
    found = {(row["year"], row["sex"], row["age"]): row["people"] for row in story.first["disk"]["census_population"]}
    assert found == census_oracle.people()


def test_the_ages_are_the_standard_library_s(story: Story) -> None:
    expected, found = census_oracle.ages(), story.first["disk"]["census_age"]
    wrong = [
        row
        for row in found
        if row["people"] != expected[row["year"], row["sex"]][0] or not near(row, expected[row["year"], row["sex"]][1:])
    ]
    assert (wrong, {(row["year"], row["sex"]) for row in found}) == ([], set(expected))


def test_the_incomes_are_the_standard_library_s(story: Story) -> None:
    expected, found = census_oracle.incomes(), story.first["disk"]["census_income"]
    wrong = [
        row
        for row in found
        if (row["region"], row["state_id"], row["households"]) != expected[row["kind"], row["place"]][:3]
        or not near(row, expected[row["kind"], row["place"]][3:])
    ]
    assert (wrong, {(row["kind"], row["place"]) for row in found}) == ([], set(expected))


def test_a_year_begins_on_the_first_of_january(story: Story) -> None:
    starts = {row["year"]: row["year_start_ns"] for of_table in story.first["disk"].values() for row in of_table}
    assert (starts[2000], starts[2001], starts[2013]) == (
        946_684_800_000_000_000,
        978_307_200_000_000_000,
        1_356_998_400_000_000_000,
    )


def test_both_stores_hold_the_same(story: Story) -> None:
    assert without_time(story.first["disk"]) == without_time(story.first["sqlite"])


def test_asked_for_once_more_it_says_what_it_did_and_the_rows_are_the_same_to_the_bit(story: Story) -> None:
    running, finished = story.said.splitlines()
    assert running.startswith("census: running: The census")
    assert re.fullmatch(
        r"census: finished: 4,243 \+ 520 events, 4,362 rows into disk, sqlite in \d+\.\d s", finished
    ), finished
    assert {store: without_time(found) for store, found in story.second.items()} == {
        store: without_time(found) for store, found in story.first.items()
    }


def test_the_second_run_replaced_every_row(story: Story) -> None:
    oldest = {store: min(row["written_ns"] for row in found["census_age"]) for store, found in story.second.items()}
    newest = {store: max(row["written_ns"] for row in found["census_age"]) for store, found in story.first.items()}
    assert all(oldest[store] > newest[store] for store in oldest)


def test_what_is_no_event_of_the_census_is_a_dead_letter_byte_for_byte(story: Story) -> None:
    expected = [*ODD_PEOPLE, *(line for value in ODD_INCOMES for line in value.split(b"\n"))]
    assert sorted(letter.raw for letter in letters(story.folder.broker())) == sorted(expected)


def test_the_driver_says_what_it_did_in_one_line_each(story: Story) -> None:
    """One run into disk alone, others that a store that is still away failed, two that finished."""
    said = [line.split(" ", 1)[1] for line in story.log if re.match(r"[\d:]+ \w+ census ", line)]
    failed = [line for line in said if line.startswith("WARNING census failed: ")]
    assert ("4,362 rows into disk in" in failed[0], "not into sqlite: " in failed[0]) == (True, True)
    assert [line.split(": ")[0] for line in said[len(failed) :]] == ["INFO census finished"] * 2


def test_a_driver_that_is_told_to_end_ends_within_seconds_and_leaves_no_process(story: Story) -> None:
    assert (story.ended_in_s < ENDED_WITHIN_S, story.left_after_end) == (True, [])


def test_ended_in_the_middle_of_a_run_it_says_nothing_of_it_and_the_next_start_does_it(tmp_path: Path) -> None:
    held_at = tmp_path / "computing"
    with_held_census = {"PYTHONPATH": on_the_path("held_census"), "HELD_AT": str(held_at)}
    folder = Folder(tmp_path, with_held_census)
    folder.broker()
    pipeline(folder, "produce", "census")
    driver = folder.start()
    try:
        assert until(held_at.exists, COMMITTED_WITHIN_S), folder.log()[-3000:]
        ended(driver)
        said = said_unasked(folder.log())
        assert (driver.returncode, said, rows(folder, "disk")) == (0, [], {key: [] for key in WHOLE})
        folder = Folder(tmp_path)
        driver = folder.start()
        wait_for_rows(folder, "disk")
    finally:
        driver.kill()
    assert folder.left() == []
