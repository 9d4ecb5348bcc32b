"""The census's tables as rows that a store takes, with the numbers of the oracle."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import census_oracle

INCOME_YEAR = 2013
FIGURES = ("mean", "standard_deviation")
Row = dict[str, Any]


def tables(written_ns: int | None = None) -> dict[str, list[Row]]:
    """The rows of each table, by its name, as if computed now or at `written_ns`."""
    found = {"census_population": population(), "census_age": ages(), "census_income": incomes()}
    written = {"written_ns": time.time_ns() if written_ns is None else written_ns}
    return {name: [row | written for row in rows] for name, rows in found.items()}


def population() -> list[Row]:
    found = census_oracle.people().items()
    return [{**_of(year), "sex": sex, "age": age, "people": people} for (year, sex, age), people in found]


def ages() -> list[Row]:
    names = ("people", *FIGURES)
    found = census_oracle.ages().items()
    return [{**_of(year), "sex": sex, **dict(zip(names, told, strict=True))} for (year, sex), told in found]


def incomes() -> list[Row]:
    names = ("region", "state_id", "households", *FIGURES)
    found = census_oracle.incomes().items()
    year = _of(INCOME_YEAR)
    return [
        {**year, "kind": kind, "place": place, **dict(zip(names, told, strict=True))} for (kind, place), told in found
    ]


def _of(year: int) -> Row:
    return {"year_start_ns": int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000, "year": year}
