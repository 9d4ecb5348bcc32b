"""Holt's and Winters' damped exponential smoothing, as influxdb computes it.

In:   `y`, equally spaced with NaN where there is none, and parameters: alpha, beta, gamma, phi, level, trend, seasons.
Out:  forecasts, or their squared error.
Both change the parameters that they are given: the first four are brought into [0, 1], and the seasons go on. The search
for the best ones goes on from what was changed, so results depend on it.
From: Hyndman and Athanasopoulos, "Forecasting: principles and practice", section 8.3; influxdb's HOLT_WINTERS.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SEASONS_AT = 6


@njit(cache=True, nogil=True, error_model="numpy")
def forecasts(parameters, y, horizon):
    """The first of `y`, then a forecast for each other, and `horizon` more."""
    for i in range(4):
        parameters[i] = 1.0 if parameters[i] > 1 else 0.0 if parameters[i] < 0 else parameters[i]
    alpha, beta, gamma, phi, level, trend = parameters[:SEASONS_AT]
    seasons = parameters[SEASONS_AT:]
    period, offset = len(seasons), len(seasons) - 1
    out = np.empty(len(y) + horizon)
    out[0] = value = y[0]
    damping, season, ahead = phi, 1.0, 1.0
    for t in range(1, len(out)):
        if period > 0:
            season = seasons[(t - period + offset) % period]
            ahead = seasons[(t - period + t % period + offset) % period]
        expected = level + phi * trend
        before, was = level, value
        level = alpha * (was / season) + (1 - alpha) * expected
        trend = beta * (level - before) + (1 - beta) * phi * trend
        value = (level + damping * trend) * ahead
        damping += _power(phi, t)
        if period > 0:
            seasons[(t + offset) % period] = gamma * (was / expected) + (1 - gamma) * season
            offset += 1
        out[t] = value
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def squared_error(parameters, y):
    """The sum over what `y` has; infinite where a forecast is none."""
    error = 0.0
    forecast = forecasts(parameters, y, 0)
    for i in range(len(y)):
        if np.isnan(y[i]):
            continue
        if np.isnan(forecast[i]):
            return np.inf
        error += (forecast[i] - y[i]) * (forecast[i] - y[i])
    return error


@njit(cache=True, nogil=True)
def _power(x, n):
    """By squaring, as Go's `math.Pow` does."""
    power = 1.0
    while n > 0:
        if n & 1:
            power *= x
        x *= x
        n >>= 1
    return power
