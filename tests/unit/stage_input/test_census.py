"""The census's files, and the events that they become."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_input import census
from pipeline_input.errors import WrongData
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.codec import blocks, decode_all
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION

NOW_NS = 1_795_348_800_000_000_000


def test_the_population_has_a_row_for_each_year_sex_and_age() -> None:
    rows = census.population(census.POPULATION)
    assert (len(rows), rows[0]) == (21 * 2 * 101, {"year": 2000, "sex": "female", "age": 0, "people": 1_874_038})


def test_the_people_of_a_year_are_as_many_as_the_file_s_column_sums_to() -> None:
    by_line = [line.split(",") for line in census.POPULATION.read_text().splitlines()]
    of_2000 = sum(int(people) for year, _, _, people in by_line if year == "2000")
    rows = census.population(census.POPULATION)
    assert sum(row["people"] for row in rows if row["year"] == 2000) == of_2000 == 282_158_336


def test_the_income_has_a_row_for_each_place_and_group() -> None:
    rows = census.income(census.INCOME)
    assert (len(rows), len({row["state"] for row in rows}), len({row["income_group"] for row in rows})) == (520, 52, 10)


def test_the_shares_of_a_place_are_of_all_its_households() -> None:
    shares: dict[str, float] = {}
    for row in census.income(census.INCOME):
        shares[row["state"]] = shares.get(row["state"], 0.0) + row["share"]
    assert all(share == pytest.approx(1, abs=0.0025) for share in shares.values())  # each group is rounded to 0.001


@pytest.mark.parametrize("change", [lambda lines: lines[:-1], lambda lines: [*lines[:-1], lines[1]]])
def test_a_population_file_that_lacks_a_cell_is_refused(tmp_path: Path, change: object) -> None:
    path = tmp_path / "changed.csv"
    path.write_text("\n".join(change(census.POPULATION.read_text().splitlines())))  # type: ignore[operator]
    with pytest.raises(WrongData, match=r"4,242 different ones are expected"):
        census.population(path)


def test_an_income_file_with_a_group_of_another_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "changed.json"
    path.write_text(census.INCOME.read_text().replace("200000+", "much", 1))
    with pytest.raises(WrongData, match="520 different ones are expected"):
        census.income(path)


def test_every_row_becomes_a_sound_event_whose_id_is_the_same_every_time() -> None:
    broker = MemoryBroker()
    broker.create([CENSUS_POPULATION, CENSUS_INCOME])
    for part in census.parts():
        sent = part.events(range(len(part.rows)), broker._clock.now_ns())
        broker.publish(part.topic.name, blocks(part.topic, sent))
        decoded = decode_all(part.topic, broker.read(part.topic.name, {0: 0}))
        assert (decoded.events, decoded.dead, any(decoded.late)) == (sent, [], False)
        again = part.events(range(3), NOW_NS)
        assert [event.event_id for event in again] == [f"{part.producer}-{seq:012d}" for seq in range(3)]


def test_a_file_of_other_content_is_another_producer(tmp_path: Path) -> None:
    changed = tmp_path / "changed.csv"
    changed.write_bytes(census.POPULATION.read_bytes().replace(b"1874038", b"1874039", 1))
    producers = {
        census._part(CENSUS_POPULATION, path, census.population(path)).producer
        for path in (census.POPULATION, census.POPULATION, changed)
    }
    assert (len(producers), all(each.startswith("census-population-") for each in producers)) == (2, True)
