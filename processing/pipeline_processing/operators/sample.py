"""Fewer points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numba import njit

from pipeline_processing.operators.operator import EITHER, CannotRun, Data, Edge, Step, Tick
from pipeline_processing.operators.options import Duration, argument, one, type_name
from pipeline_processing.operators.runs import Runs, forgotten, with_rows_of
from pipeline_processing.points.go_time import truncated_ns
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import grown, reset


def a_rate(value: Any) -> int | Duration:
    if type(value) not in (int, Duration):
        raise ValueError(f"must pass int64 or duration to new sample node, got {type_name(value)}")
    return value


@dataclass(slots=True)
class Seen:
    """How many points each group has had."""

    count: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def forget(self, groups: Ids) -> None:
        reset(self.count, groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Pass one of every so many points of a group, the first included, or those whose time is a multiple of a duration.

    In:      points in arrival order, or batches, in each of which counting begins anew.
    State:   one number a group.
    Refuses: a rate of 0.
    From:    Kapacitor's `sample`; multiples of a duration count from the year 1.
    """

    KIND: ClassVar[str] = "sample"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    rate: int | Duration = argument(one(a_rate), "one of how many points, or a duration, such as 10 or 5s")

    def __post_init__(self) -> None:
        if self.rate == 0:
            raise CannotRun("invalid sample rate: must be positive integer or duration")

    def initial(self) -> Seen:
        return Seen()

    def forget(self, state: Seen, groups: Ids) -> None:
        state.forget(groups)

    def step(self, state: Seen, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        kept = (
            self._by_time(inputs[0], keys)
            if isinstance(self.rate, Duration)
            else self._by_count(state, inputs[0], keys)
        )
        state.forget(forgotten(inputs[0]))
        return Step(state=state, out=with_rows_of(inputs[0], kept, lambda rows: rows))

    def _by_time(self, data: Data, keys: Keys) -> np.ndarray:
        time_ns = Runs.of(data, keys).rows.time_ns
        if self.rate < 0:  # Go's Truncate leaves such times as they are
            return np.ones(len(time_ns), dtype=bool)
        return truncated_ns(time_ns, self.rate) == time_ns

    def _by_count(self, state: Seen, data: Data, keys: Keys) -> np.ndarray:
        runs = Runs.of(data, keys)
        if runs.fresh:
            return _turns(runs.run, np.zeros(runs.count, dtype=np.int64), abs(self.rate))
        state.count = grown(state.count, runs.count)
        return _turns(runs.run, state.count, abs(self.rate))


@njit(cache=True, nogil=True)
def _turns(run, count, rate):
    kept = np.zeros(len(run), dtype=np.bool_)
    for i in range(len(run)):
        kept[i] = count[run[i]] % rate == 0
        count[run[i]] += 1
    return kept
