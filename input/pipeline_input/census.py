"""The census of the United States: people by year, sex and age, and households by state and income.

Out:     a row of `us_population_2000_2020.csv` is an event of `census-population`, an entry of
         `us_income_by_state_2013.json` one of `census-income`, in the files' order. Source and terms: data/README.md.
Refuses: (WrongData) a file that does not hold each cell once: somebody changed it.
An event's time is when it was sent; `year` says what it is about.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION, Topic

from pipeline_input.errors import WrongData
from pipeline_input.source import Dataset, Part, SourceSettings

DATA = Path(__file__).with_name("data")
POPULATION = DATA / "us_population_2000_2020.csv"
INCOME = DATA / "us_income_by_state_2013.json"
CELLS = set(product(range(2000, 2021), ("female", "male"), range(101)))
INCOME_YEAR = 2013
"""The last of the three years that the survey's numbers are of."""
PLACES = 52
"""50 states, the District of Columbia and Puerto Rico."""
GROUPS = (
    *("<10000", "10000 to 14999", "15000 to 24999", "25000 to 34999", "35000 to 49999", "50000 to 74999"),
    *("75000 to 99999", "100000 to 149999", "150000 to 199999", "200000+"),
)

Rows: TypeAlias = Sequence[Mapping[str, Any]]


def parts() -> tuple[Part, Part]:
    """Both files."""
    return (
        _part(CENSUS_POPULATION, POPULATION, population(POPULATION)),
        _part(CENSUS_INCOME, INCOME, income(INCOME)),
    )


def population(path: Path) -> Rows:
    """People by year, sex and age."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            {name: text if name == "sex" else int(text) for name, text in row.items()} for row in csv.DictReader(file)
        ]
    cells = [(row["year"], row["sex"], row["age"]) for row in rows]
    if len(cells) != len(CELLS) or set(cells) != CELLS:
        raise WrongData(path, found=f"{len(cells):,} rows with {len(set(cells)):,} cells", expected=len(CELLS))
    return rows


def income(path: Path) -> Rows:
    """Which share of each state's households has an income of which group."""
    rows = [
        {
            "year": INCOME_YEAR,
            "state": entry["name"],
            "state_id": entry["id"],
            "region": entry["region"],
            "income_group": entry["group"],
            "share": entry["pct"],
            "households": entry["total"],
        }
        for entry in json.loads(path.read_text(encoding="utf-8"))
    ]
    states = {row["state"] for row in rows}
    cells = {(row["state"], row["income_group"]) for row in rows}
    if (len(rows), len(states)) != (PLACES * len(GROUPS), PLACES) or cells != set(product(states, GROUPS)):
        found = f"{len(rows):,} rows with {len(cells):,} cells of {len(states)} states"
        raise WrongData(path, found=found, expected=PLACES * len(GROUPS))
    return rows


def _part(topic: Topic, path: Path, rows: Rows) -> Part:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Part(topic=topic, producer=f"{topic.name}-{digest[:8]}", rows=rows)


DATASET = Dataset(
    name="census",
    title="The census of the United States, once: people by year, sex and age, households by state and income",
    topics=(CENSUS_POPULATION, CENSUS_INCOME),
    settings=SourceSettings,
    parts=parts,
)
