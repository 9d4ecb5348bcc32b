"""What holds for operators when a group is to be forgotten: it begins anew, and no other group notices."""

from __future__ import annotations

import pickle
import random
from dataclasses import replace

import numpy as np
import pytest
from frames import causes, frame, points, run
from operator_examples import EXAMPLES, Example
from pipeline_processing.operators.operator import Tick
from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys
from random_points import random_points

SEEDS = range(5)
ON_STREAMS = {name: each for name, each in EXAMPLES.items() if each.edge == "stream"}


def told(data: Frame, group: int, *, forget: bool) -> Frame:
    """The same points, and after them a barrier of the group, older than any window's end."""
    one = np.array([group], dtype=np.int32)
    barriers = Barriers(
        group=one, time_ns=np.array([-(2**40)]), cause=np.array([int(data.cause[-1])]), forget=np.array([forget])
    )
    return replace(data, barriers=barriers)


def after(example: Example, first: Frame, second: Frame, keys: Keys, *, restore: bool = False) -> Frame:
    """What comes of the second, once the operator has had the first."""
    state = example.operator.step(example.operator.initial(), [first], Tick(now_ns=0), keys).state
    if restore:
        state = pickle.loads(pickle.dumps(state))
    return example.operator.step(state, [second], Tick(now_ns=0), keys).out


@pytest.fixture(params=SEEDS)
def halves(request: pytest.FixtureRequest) -> tuple[Keys, Frame, Frame, int]:
    """Points before a barrier, points after it, and its group."""
    keys = Keys()
    data = frame(keys, list(random_points(random.Random(request.param))))
    middle = len(data) // 2
    group = int(data.group[random.Random(request.param).randrange(middle)])
    return keys, data.take(np.arange(middle)), data.take(np.arange(middle, len(data))), group


@pytest.mark.parametrize("example", ON_STREAMS.values(), ids=ON_STREAMS)
def test_a_group_that_is_forgotten_is_as_one_that_was_never_met(
    example: Example, halves: tuple[Keys, Frame, Frame, int]
) -> None:
    keys, first, second, group = halves
    for restore in (False, True):
        out = after(example, told(first, group, forget=True), second.take(second.group == group), keys, restore=restore)
        alone = run(example.operator, second.take(second.group == group), keys).out
        assert repr(points(out, keys)) == repr(points(alone, keys))
        assert causes(out) == causes(alone)


@pytest.mark.parametrize("example", ON_STREAMS.values(), ids=ON_STREAMS)
def test_to_forget_a_group_changes_nothing_of_others(example: Example, halves: tuple[Keys, Frame, Frame, int]) -> None:
    keys, first, second, group = halves
    others = second.take(second.group != group)
    out = after(example, told(first, group, forget=True), others, keys)
    assert repr(points(out, keys)) == repr(points(after(example, first, others, keys), keys))


@pytest.mark.parametrize("example", ON_STREAMS.values(), ids=ON_STREAMS)
def test_a_barrier_after_which_all_is_kept_changes_nothing_of_points(
    example: Example, halves: tuple[Keys, Frame, Frame, int]
) -> None:
    keys, first, second, group = halves
    out = after(example, told(first, group, forget=False), second, keys)
    assert repr(points(out, keys)) == repr(points(after(example, first, second, keys), keys))
