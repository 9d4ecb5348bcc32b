"""Functions that remember: `count()`, `sigma(x)` and `spread(x)`, over the rows of a group in the order of their arrival.

Each has one state a lambda and group, however often the lambda names it. They forget a group when they are told to.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from pipeline_processing.expressions.rows import Rows, Value, column
from pipeline_processing.points.keys import Ids
from pipeline_processing.points.store import grown, reset

_ALL = np.empty(0, dtype=bool)


def _nothing() -> np.ndarray:
    return np.empty(0)


@dataclass(slots=True)
class Count:
    """How many rows were counted, by group."""

    seen: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def step(self, rows: Rows) -> Value:
        self.seen = grown(self.seen, rows.groups)
        return _counts(rows.group, _mask(rows), self.seen)

    def forget(self, groups: Ids) -> None:
        reset(self.seen, groups)


@dataclass(slots=True)
class Sigma:
    """The mean and the sum of squared differences from it, by group (Welford)."""

    seen: np.ndarray = field(default_factory=_nothing)
    mean: np.ndarray = field(default_factory=_nothing)
    squares: np.ndarray = field(default_factory=_nothing)

    def step(self, rows: Rows, value: Value) -> Value:
        """How many standard deviations each value is from the mean, itself included; 0 while there is none."""
        self.seen, self.mean, self.squares = (grown(each, rows.groups) for each in (self.seen, self.mean, self.squares))
        x = column(value, rows.count, np.float64)
        return _sigmas(rows.group, _mask(rows), x, (self.seen, self.mean, self.squares))

    def forget(self, groups: Ids) -> None:
        for each in (self.seen, self.mean, self.squares):
            reset(each, groups)


@dataclass(slots=True)
class Spread:
    """The least and the greatest value, by group."""

    low: np.ndarray = field(default_factory=_nothing)
    high: np.ndarray = field(default_factory=_nothing)

    def step(self, rows: Rows, value: Value) -> Value:
        self.low, self.high = grown(self.low, rows.groups, np.inf), grown(self.high, rows.groups, -np.inf)
        return _spreads(rows.group, _mask(rows), column(value, rows.count, np.float64), self.low, self.high)

    def forget(self, groups: Ids) -> None:
        reset(self.low, groups, np.inf)
        reset(self.high, groups, -np.inf)


def _mask(rows: Rows) -> np.ndarray:
    return _ALL if rows.active is None else rows.active


@njit(cache=True, nogil=True)
def _counts(group, active, seen):
    counts = np.zeros(len(group), dtype=np.int64)
    everything = len(active) == 0
    for i in range(len(group)):
        if everything or active[i]:
            seen[group[i]] += 1
            counts[i] = seen[group[i]]
    return counts


@njit(cache=True, nogil=True)
def _sigmas(group, active, x, moments):
    seen, mean, squares = moments
    sigmas = np.zeros(len(group))
    everything = len(active) == 0
    for i in range(len(group)):
        if everything or active[i]:
            g = group[i]
            seen[g] += 1.0
            delta = x[i] - mean[g]
            mean[g] += delta / seen[g]
            squares[g] += delta * (x[i] - mean[g])
            if seen[g] >= 2.0:
                variance = squares[g] / (seen[g] - 1.0)
                if variance != 0.0:
                    sigmas[i] = abs(x[i] - mean[g]) / np.sqrt(variance)
    return sigmas


@njit(cache=True, nogil=True)
def _spreads(group, active, x, low, high):
    spreads = np.zeros(len(group))
    everything = len(active) == 0
    for i in range(len(group)):
        if everything or active[i]:
            g = group[i]
            low[g] = min(low[g], x[i])
            high[g] = max(high[g], x[i])
            spreads[i] = high[g] - low[g]
    return spreads


RUNNING = {"count": Count, "sigma": Sigma, "spread": Spread}
"""The states of the functions that have one."""
