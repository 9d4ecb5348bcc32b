"""Runs of sequence numbers do what Python's own sets do."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from pipeline_queue.runs import as_text, joined, of_text, size, up_to_newest, without


def numbers(runs: dict[str, list[tuple[int, int]]]) -> set[tuple[str, int]]:
    return {(name, seq) for name, each in runs.items() for first, last in each for seq in range(first, last + 1)}


def some_runs(pick: random.Random) -> list[tuple[str, tuple[int, int]]]:
    firsts = [pick.randrange(40) for _ in range(pick.randrange(8))]
    return [(pick.choice("ab"), (first, first + pick.randrange(6))) for first in firsts]


@pytest.mark.parametrize("seed", range(200))
def test_any_runs_make_the_set_of_their_numbers_and_tell_what_came_again(seed: int) -> None:
    runs = some_runs(random.Random(seed))
    all_numbers = Counter((name, seq) for name, (first, last) in runs for seq in range(first, last + 1))
    found, again = joined(runs)
    assert (numbers(found), size(found), again) == (
        set(all_numbers),
        len(all_numbers),
        all_numbers.total() - len(all_numbers),
    )
    assert all(before[1] + 1 < after[0] for each in found.values() for before, after in pairwise(each))


@pytest.mark.parametrize("seed", range(200))
def test_the_difference_is_that_of_sets(seed: int) -> None:
    pick = random.Random(seed)
    runs, others = joined(some_runs(pick))[0], joined(some_runs(pick))[0]
    assert numbers(without(runs, others)) == numbers(runs) - numbers(others)


def test_the_part_beyond_the_newest_of_the_others_is_told_from_the_part_up_to_it() -> None:
    runs, others = {"a": [(0, 5), (8, 20)], "b": [(3, 4)]}, {"a": [(0, 2), (9, 10)]}
    assert up_to_newest(runs, others) == (
        {"a": [(0, 5), (8, 10)], "b": []},
        {"a": [(11, 20)], "b": [(3, 4)]},
    )


def test_text_says_the_same_as_the_runs() -> None:
    runs = {"random-numbers-0a": [(0, 5), (8, 8)], "other:odd": [(3, 4)]}
    assert joined(of_text(as_text(runs)))[0] == runs
