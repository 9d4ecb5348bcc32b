"""Forecasts of a batch's values by Holt-Winters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit

from pipeline_processing.operators.exponential_smoothing import SEASONS_AT, forecasts
from pipeline_processing.operators.nelder_mead import minimised
from pipeline_processing.operators.options import a_duration, a_string, an_int, argument, arguments, flag, option
from pipeline_processing.operators.same_times import SameTimes
from pipeline_processing.operators.several_values import Results, ToBatches
from pipeline_processing.operators.typed_values import Part
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.keys import Keys

GUESSES = (0.3, 0.7)
"""Each of alpha, beta, gamma and phi begins at either."""
WEIGHT = 0.5

_call = arguments(("a field", a_string), ("how many", an_int), ("a season", an_int), ("an interval", a_duration))


@dataclass(frozen=True, slots=True, kw_only=True)
class HoltWinters(ToBatches):
    """So many values to come, one an interval, each at its own time; none of a batch that is too short.

    Values are put into intervals; of several in one the first counts. A season has so many intervals; below 2 there is none.
    """

    KIND: ClassVar[str] = "holtWinters"
    WITH_FIT: ClassVar[bool] = False

    of: tuple[str, int, int, int] = argument(
        _call, "the field, how many to forecast, intervals of a season, the interval"
    )
    point_times: bool = option("usePointTimes", flag, True, "always so: what is to come has times of its own")

    @property
    def field(self) -> str:
        return self.of[0]

    @property
    def name(self) -> str:
        return self.as_ or "holtWinters"

    def results(self, part: Part, batches: Batches, state: SameTimes, keys: Keys) -> Results:
        _, horizon, period, interval_ns = self.of
        rule = horizon, period if period >= 2 else 0, interval_ns, self.WITH_FIT
        sizes, values, time_ns = _forecasts(part.time_ns, part.values.astype(float), part.start, rule)
        at = np.repeat(part.at, sizes)
        return Results(type="float", batch=at, values=values, time_ns=time_ns, series=batches.series[at])


@dataclass(frozen=True, slots=True, kw_only=True)
class HoltWintersWithFit(HoltWinters):
    """The same after the fit to the values that there are."""

    KIND: ClassVar[str] = "holtWintersWithFit"
    WITH_FIT: ClassVar[bool] = True


@njit(cache=True, nogil=True)
def _forecasts(time_ns, values, start, rule):
    """How many forecasts each batch has, all of them, and their times."""
    sizes = np.zeros(len(start) - 1, dtype=np.int64)
    found, times = [0.0 for _ in range(0)], [0 for _ in range(0)]
    for batch in range(len(sizes)):
        own, own_ns = _forecast(time_ns[start[batch] : start[batch + 1]], values[start[batch] : start[batch + 1]], rule)
        sizes[batch] = len(own)
        found.extend(own)
        times.extend(own_ns)
    return sizes, np.array(found, dtype=np.float64), np.array(times, dtype=np.int64)


@njit(cache=True, nogil=True)
def _forecast(time_ns, values, rule):
    """Forecasts and their times."""
    horizon, period, interval_ns, with_fit = rule
    none = np.empty(0), np.empty(0, dtype=np.int64)
    if len(values) < 2 or len(values) < period or horizon <= 0 or interval_ns <= 0:
        return none
    y = _spaced(time_ns, values, interval_ns)
    if len(y) < max(2, period):
        return none
    forecast = forecasts(_fitted(y, period), y, horizon)
    first, skipped = time_ns[0], 0
    if not with_fit:
        first, skipped = time_ns[-1] - (len(y) - 1) * interval_ns, len(y)
    at = skipped + np.flatnonzero(~np.isnan(forecast[skipped:]))
    return forecast[at], first + interval_ns * at


@njit(cache=True, nogil=True)
def _rounded(time_ns, interval_ns):
    """To the nearest multiple; Go's division is towards zero."""
    whole = abs(time_ns) // interval_ns
    if time_ns < 0:
        return -whole * interval_ns
    return (whole + 1 if time_ns % interval_ns > interval_ns // 2 else whole) * interval_ns


@njit(cache=True, nogil=True)
def _spaced(time_ns, values, interval_ns):
    """One value an interval, NaN where there is none; nothing where the last is not after the first."""
    first, last = _rounded(time_ns[0], interval_ns), _rounded(time_ns[-1], interval_ns)
    if last <= first:
        return np.empty(0)
    y = [values[0]]
    time = first
    for i in range(1, len(values)):
        rounded = _rounded(time_ns[i], interval_ns)
        if rounded <= time:
            continue
        time += interval_ns
        while rounded != time:
            y.append(np.nan)
            time += interval_ns
        y.append(values[i])
    return np.array(y)


@njit(cache=True, nogil=True)
def _fitted(y, period):
    """The parameters of least squared error that the search finds from any of its guesses."""
    start = _start(y, period)
    best, least = start, np.inf
    for guess in range(16):
        for i in range(4):
            start[i] = GUESSES[guess >> (3 - i) & 1]
        error, parameters = minimised(start, y)
        if error < least or guess == 0:
            best, least = parameters, error
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def _start(y, period):
    level, trend = 0.0, 0.0
    start = np.zeros(SEASONS_AT + period)
    for i in range(period):
        if not np.isnan(y[i]):
            level += (1 / float(period)) * y[i]
        if period + i < len(y) and not np.isnan(y[i]) and not np.isnan(y[period + i]):
            trend += 1 / float(period * period) * (y[period + i] - y[i])
    if period == 0:
        level = WEIGHT * y[0]
        trend = 0.0 if np.isnan(y[1]) else WEIGHT * (y[1] - y[0])
    for i in range(period):
        start[SEASONS_AT + i] = 0.0 if np.isnan(y[i]) else y[i] / level
    start[4], start[5] = level, trend
    return start
