"""Runs of sequence numbers against plain sets."""

from __future__ import annotations

import random

import numpy as np
import pytest
from pipeline_processing.runs import Runs

PRODUCERS = ["a", "b"]


def runs_of(events: list[tuple[int, int]]) -> Runs:
    producer, seq = (np.array([event[place] for event in events], dtype=np.int64) for place in (0, 1))
    return Runs.of(producer, seq, PRODUCERS)


def held(runs: Runs) -> set[tuple[int, int]]:
    return {(place, seq) for place, name in enumerate(PRODUCERS) for seq in range(-1, 60) if runs.holds(name, seq)}


@pytest.mark.parametrize("seed", range(20))
def test_runs_hold_what_was_put_in_and_nothing_else_however_it_was_split(seed: int) -> None:
    pick = random.Random(seed)
    events = [(pick.randrange(2), pick.randrange(58)) for _ in range(pick.randrange(100))]
    cuts = sorted(pick.randrange(len(events) + 1) for _ in range(3))
    parts = [runs_of(events[since:to]) for since, to in zip([0, *cuts], [*cuts, len(events)], strict=True)]
    assert held(Runs.merged(parts)) == held(runs_of(events)) == set(events)


def test_consecutive_events_are_one_run_in_any_order_and_from_any_number_of_parts() -> None:
    parts = [runs_of([(0, 3), (0, 1), (0, 2)]), runs_of([(0, 4), (1, 9)]), runs_of([(0, 2), (0, 7)])]
    assert Runs.merged(parts).by_producer == {"a": [(1, 4), (7, 7)], "b": [(9, 9)]}


def test_bytes_read_back_are_the_same_runs() -> None:
    runs = runs_of([(0, 3), (0, 4), (0, 2**62), (1, 0)])
    assert Runs.from_bytes(runs.to_bytes()) == runs


def test_a_run_of_a_producer_takes_about_forty_bytes() -> None:
    runs = Runs.of(np.zeros(100, dtype=np.int64), np.arange(10**6, 10**6 + 100), ["random-numbers-1a2b3c4d"])
    assert len(runs.to_bytes()) < 45


def test_no_events_are_no_runs() -> None:
    assert Runs.of(np.array([]), np.array([]), []) == Runs.merged([]) == Runs()
