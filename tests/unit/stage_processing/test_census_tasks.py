"""Records of the census's topics into rows, without Spark; dead letters keep their place and their bytes."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest
from pipeline_processing.jobs.census_tasks import INCOME, POPULATION, census_rows, read
from pipeline_processing.spark.records import as_batch
from pipeline_queue.brokers import Broker, Message, Record, open_broker
from pipeline_queue.codec import blocks, encode
from pipeline_queue.dead_letters import letters
from pipeline_queue.events import event_id, event_type
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION, DEAD_LETTERS

NOW_NS = time.time_ns()


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    return f"memory://{request.node.name}"


@pytest.fixture
def broker(url: str) -> Broker:
    broker = open_broker(url)
    broker.create([CENSUS_POPULATION, CENSUS_INCOME, DEAD_LETTERS])
    return broker


def person(seq: int, **values: object) -> object:
    given = {"year": 2000, "sex": "female", "age": 3, "people": 5} | values
    return event_type(CENSUS_POPULATION)(event_id=event_id("p", seq), time_ns=NOW_NS, producer="p", seq=seq, **given)


def household(seq: int, **values: object) -> object:
    given = {"year": 2013, "state": "Ohio", "state_id": 39, "region": "midwest", "share": 0.5, "households": 8} | values
    return event_type(CENSUS_INCOME)(event_id=event_id("p", seq), time_ns=NOW_NS, producer="p", seq=seq, **given)


def record(value: bytes) -> Record:
    return Record(topic=CENSUS_POPULATION.name, partition=0, offset=7, append_time_ns=NOW_NS, value=value)


def test_each_event_is_a_row_with_its_topic_s_columns() -> None:
    rows, dead = read(POPULATION, [record(encode([person(0), person(1, sex="male", age=100)]))])
    assert ([(row["sex"], row["age"], row["people"]) for row in rows], dead) == (
        [("female", 3, 5), ("male", 100, 5)],
        [],
    )


def test_a_household_s_row_says_which_income_its_group_stands_for() -> None:
    rows, _ = read(INCOME, [record(encode([household(0, income_group="10000 to 14999")]))])
    assert (rows[0]["income_group"], rows[0]["income"]) == ("10000 to 14999", 12_500)


def test_an_event_that_the_census_has_no_use_for_is_a_letter_of_its_own_line() -> None:
    odd, sound = encode([person(1, sex="both")]).rstrip(), encode([person(2)]).rstrip()
    rows, dead = read(POPULATION, [record(b"\n".join([b"{broken", sound, b"", odd, sound]))])
    assert [row["event_id"] for row in rows] == [event_id("p", 2)] * 2
    assert [(letter.line, letter.raw) for letter in dead] == [(0, b"{broken"), (2, b""), (3, odd)]
    assert dead[-1].reason == "`both` is none of female, male"


@pytest.mark.parametrize("group", ["", "much", "200000"])
def test_an_income_group_of_another_name_is_a_letter(group: str) -> None:
    rows, dead = read(INCOME, [record(encode([household(0, income_group=group)]))])
    assert (rows, ["is no income group" in letter.reason for letter in dead]) == ([], [True])


def test_a_task_gives_its_rows_in_the_declared_schema_and_buries_what_is_dead(url: str, broker: Broker) -> None:
    broker.publish(CENSUS_POPULATION.name, blocks(CENSUS_POPULATION, [person(0), person(1)]))
    broker.publish(CENSUS_POPULATION.name, [Message(value=b"{broken")])
    batch = as_batch(broker.read(CENSUS_POPULATION.name, {0: 0}))
    table = pa.Table.from_batches(census_rows([batch], POPULATION, url))
    assert table["event_id"].to_pylist() == [event_id("p", 0), event_id("p", 1), None]
    assert table["dead"].to_pylist() == [None, None, 1]
    assert [(letter.offset, letter.raw) for letter in letters(broker)] == [(1, b"{broken")]


def test_the_schemas_for_spark_and_arrow_name_the_same_columns() -> None:
    for reading in (POPULATION, INCOME):
        assert [each.split()[0] for each in reading.spark_schema.split(", ")] == reading.arrow_schema.names
