"""What holds for every operator: borders of steps, snapshots and other groups change nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from frames import Plain, batches, causes, frame, points, run
from operator_examples import EXAMPLES, Example
from pipeline_processing.operators.operator import Data
from pipeline_processing.points.keys import Keys

POINTS = 60
SEEDS = range(10)
NODES = ("a", "b", "c", "")


def random_points(rng: random.Random) -> Iterator[Plain]:
    """Of four groups; times go on, stand still, and sometimes back; fields lack, and change their types."""
    time = 0
    for _ in range(POINTS):
        time += rng.choice([0, 0, 1, 1, 2, 3, 9, -2])
        tags = {"node": rng.choice(NODES)} | ({"zone": rng.choice("yz")} if rng.random() < 0.7 else {})
        yield {"time": time, "name": "m", "tags": tags, "group": ["node"], "fields": random_fields(rng)}


def random_fields(rng: random.Random) -> dict[str, Any]:
    values = {
        "v": rng.choice([1.5, -2.5, 0.5, 4.0, rng.uniform(-9, 9), 3, "x"]),
        "w": rng.choice([1, 2]),
        "s": rng.choice(["up", "down"]),
    }
    return {name: value for name, value in values.items() if rng.random() < 0.85}


def random_batches(rng: random.Random) -> Iterator[Plain]:
    rows = list(random_points(rng))
    while rows:
        some = [rows.pop() for _ in range(min(len(rows), rng.choice([0, 1, 4, 7])))]
        own = [{"time": each["time"], "tags": {}, "fields": each["fields"]} for each in some]
        yield {"tmax": rng.randrange(100), "name": "m", "tags": {"node": rng.choice(NODES)}, "points": own}


def random_data(example: Example, keys: Keys, seed: int) -> Data:
    rng = random.Random(seed)
    if example.edge == "batch":
        return batches(keys, list(random_batches(rng)))
    return frame(keys, list(random_points(rng)))


def of_group(found: list[Plain], node: str) -> list[Plain]:
    """What of it the group made: an operator that changes groups keeps the tag that they are named by."""
    return [each for each in found if each["tags"].get("node", "") == node]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_other_borders_of_steps_and_snapshots_between_them_change_nothing(example: Example, seed: int) -> None:
    keys = Keys()
    data = random_data(example, keys, seed)
    rng = random.Random(seed)
    borders = [rng.randrange(len(data) + 1) for _ in range(rng.choice([1, 5, 30]))]
    whole = run(example.operator, data, keys)
    for restore in (False, True):
        parts = run(example.operator, data, keys, borders=borders, restore=restore)
        assert repr(points(parts.out, keys)) == repr(points(whole.out, keys))  # types and -0 count too
        assert causes(parts.out) == causes(whole.out)
        assert parts.errors == whole.errors


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_points_of_other_groups_change_nothing(example: Example, seed: int) -> None:
    keys = Keys()
    data = random_data(example, keys, seed)
    whole = points(run(example.operator, data, keys).out, keys)
    for group in sorted(set(data.group.tolist())):
        alone = points(run(example.operator, data.take(data.group == group), keys).out, keys)
        assert repr(alone) == repr(of_group(whole, dict(keys.groups[group].tags)["node"]))
