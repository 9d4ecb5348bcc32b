"""What holds for every lambda: columns come to what rows do, however the points are cut into frames, and state survives."""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Sequence
from typing import Any

import pytest
from columns import frame_of, values_of
from lambda_trees import Trees
from pipeline_processing.expressions.compiled import Compiled
from pipeline_processing.expressions.tree import Field, Node, walked
from pipeline_processing.points.keys import Keys
from row_evaluator import Running, value_of

TREES_A_SEED, SEEDS = 60, range(10)


@pytest.mark.parametrize("seed", SEEDS)
def test_columns_come_to_what_rows_do_one_by_one(seed: int) -> None:
    trees = Trees(seed)
    for _ in range(TREES_A_SEED):
        tree, points = trees.tree(), [trees.point() for _ in range(12)]
        assert same(computed(tree, [points]), by_row(tree, points)), tree


@pytest.mark.parametrize("seed", SEEDS)
def test_borders_of_frames_and_a_state_that_was_put_away_change_nothing(seed: int) -> None:
    trees, chance = Trees(1000 + seed), random.Random(seed)
    for _ in range(TREES_A_SEED):
        tree, points = trees.tree(), [trees.point() for _ in range(12)]
        at = sorted(chance.sample(range(13), 2))
        cut = [points[: at[0]], points[at[0] : at[1]], points[at[1] :]]
        assert same(computed(tree, cut), computed(tree, [points])), tree


@pytest.mark.parametrize("seed", SEEDS)
def test_points_of_other_groups_change_nothing(seed: int) -> None:
    trees = Trees(2000 + seed)
    for _ in range(TREES_A_SEED):
        tree, points = trees.tree(), [trees.point() for _ in range(12)]
        alone = [each for each in points if each["group"] == 0]
        among = [found for found, each in zip(computed(tree, [points]), points, strict=True) if each["group"] == 0]
        assert same(computed(tree, [alone]), among), tree


def computed(tree: Node, frames: Sequence[list[dict[str, Any]]]) -> list[Any]:
    expression, keys = Compiled(tree), Keys()
    state, found = expression.initial(), []
    for points in frames:
        state = pickle.loads(pickle.dumps(state))
        frame = frame_of(points, keys)
        evaluated = expression.evaluate(frame, state, 0, keys)
        values = values_of(evaluated, len(frame))
        assert sum(evaluated.errors.values()) == values.count(None)
        found += values
    return found


def by_row(tree: Node, points: list[dict[str, Any]]) -> list[Any]:
    states: dict[int, dict[int, Running]] = {}
    named = {each.name for each in walked(tree) if isinstance(each, Field)}
    found = []
    for point in points:
        tags = {name: ("string", text) for name, text in point["tags"].items()}
        state = states.setdefault(point["group"], {})
        row = tags | point["fields"] | {"time": ("time", point["time_ns"])}
        clash = named & tags.keys() & point["fields"].keys()
        found.append(None if clash else value_of(tree, row, state))
    return found


def same(left: list[Any], right: list[Any]) -> bool:
    return len(left) == len(right) and all(_same(a, b) for a, b in zip(left, right, strict=True))


def _same(left: Any, right: Any) -> bool:
    if left is None or right is None or left[0] != "float" or right[0] != "float":
        return left == right
    if math.isnan(left[1]) or math.isnan(right[1]):
        return math.isnan(left[1]) and math.isnan(right[1])
    return left[1] == right[1] or math.isclose(left[1], right[1], rel_tol=1e-12)
