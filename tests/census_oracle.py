"""What the census's tables must hold, computed from the files with the standard library alone.

In:   the files, read line by line.
Out:  rows by key. Means and variances are fractions, hence exact; only the last root and division round.
"""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

DATA = Path(__file__).parents[1] / "input/pipeline_input/data"
MIDPOINTS = {
    "<10000": 5_000,
    "10000 to 14999": 12_500,
    "15000 to 24999": 20_000,
    "25000 to 34999": 30_000,
    "35000 to 49999": 42_500,
    "50000 to 74999": 62_500,
    "75000 to 99999": 87_500,
    "100000 to 149999": 125_000,
    "150000 to 199999": 175_000,
    "200000+": 300_000,
}


def people() -> dict[tuple[int, str, int], int]:
    """By year, sex and age."""
    with (DATA / "us_population_2000_2020.csv").open() as file:
        return {(int(row["year"]), row["sex"], int(row["age"])): int(row["people"]) for row in csv.DictReader(file)}


def ages() -> dict[tuple[int, str], tuple[int, float, float]]:
    """People, mean and standard deviation by year and sex, of both together too."""
    weighted = defaultdict(list)
    for (year, sex, age), count in people().items():
        for of in (sex, "all"):
            weighted[year, of].append((Fraction(2 * age + 1, 2), Fraction(count)))
    return {key: (int(sum(weight for _, weight in pairs)), *moments(pairs)) for key, pairs in weighted.items()}


def incomes() -> dict[tuple[str, str], tuple[str, int, int, float, float]]:
    """Region, number, households, mean and standard deviation by kind and place."""
    weighted, states = defaultdict(list), {}
    for entry in json.loads((DATA / "us_income_by_state_2013.json").read_text()):
        pair = Fraction(MIDPOINTS[entry["group"]]), Fraction(entry["pct"]) * entry["total"]
        weighted["state", entry["name"]].append(pair)
        weighted["region", entry["region"]].append(pair)
        states[entry["name"]] = (entry["region"], entry["id"], entry["total"])
    return {key: (*_place(*key, states), *moments(pairs)) for key, pairs in weighted.items()}


def moments(pairs: Iterable[tuple[Fraction, Fraction]]) -> tuple[float, float]:
    """Mean and standard deviation, as of a whole population, of values with weights."""
    pairs = list(pairs)
    total = sum(weight for _, weight in pairs)
    mean = sum(value * weight for value, weight in pairs) / total
    variance = sum(weight * (value - mean) ** 2 for value, weight in pairs) / total
    return float(mean), math.sqrt(variance)


def _place(kind: str, name: str, states: Mapping[str, tuple[str, int, int]]) -> tuple[str, int, int]:
    if kind == "state":
        return states[name]
    return name, 0, sum(households for region, _, households in states.values() if region == name)
