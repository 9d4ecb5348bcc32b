"""Points at other times."""

from __future__ import annotations

import pytest
from frames import ran, ran_batches
from pipeline_processing.operators.operator import CannotRun
from pipeline_processing.operators.shift import Shift


def test_times_go_back_by_a_duration_below_zero() -> None:
    assert [each["time"] for each in ran(Shift(by_ns=-10), [{"time": 5}, {"time": 30}])] == [-5, 20]


def test_a_batch_is_shifted_with_its_points() -> None:
    (found,) = ran_batches(Shift(by_ns=60), [{"tmax": 10, "points": [{"time": 3}, {"time": 7}]}])
    assert (found["tmax"], [each["time"] for each in found["points"]]) == (70, [63, 67])


def test_a_shift_by_nothing_cannot_run() -> None:
    with pytest.raises(CannotRun, match="non zero duration"):
        Shift(by_ns=0)
