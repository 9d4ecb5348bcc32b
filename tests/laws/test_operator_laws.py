"""What holds for every operator: borders of steps, snapshots and other groups change nothing."""

from __future__ import annotations

import random

import pytest
from frames import Plain, batches, causes, frame, points, run
from operator_examples import EXAMPLES, Example
from pipeline_processing.operators.operator import Data
from pipeline_processing.points.keys import Keys
from random_points import random_batches, random_points

SEEDS = range(10)


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
