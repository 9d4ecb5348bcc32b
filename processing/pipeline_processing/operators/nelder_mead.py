"""The simplex method of Nelder and Mead with the details of influxdb's, so that fits agree to the last bits.

In:   a start, and what is minimised: Holt-Winters' sum of squared errors, which numba must know by name.
Out:  the least value found, and where.
From: J. A. Nelder and R. Mead, "A simplex method for function minimization", 1965; M. Hutt's implementation, which influxdb's
      follows: at most 1,000 steps, reflection 1, contraction 1/2, expansion 2, and an end when values differ by less than
      `EPSILON`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pipeline_processing.operators.exponential_smoothing import squared_error

STEPS_MAX = 1000
EPSILON = 1e-4


@njit(cache=True, nogil=True)
def minimised(start, fit):
    """The least squared error near `start` and its parameters; `fit` is passed to `squared_error`."""
    n = len(start)
    simplex = _simplex(start)
    value = np.empty(n + 1)
    for j in range(n + 1):
        value[j] = squared_error(simplex[j], fit)
    for _ in range(STEPS_MAX):
        _step(simplex, value, fit)
        if _spread(value) < EPSILON:
            break
    best = _least(value)
    parameters = simplex[best].copy()
    return squared_error(simplex[best], fit), parameters


@njit(cache=True, nogil=True)
def _simplex(start):
    n = len(start)
    far = (np.sqrt(float(n + 1)) - 1 + float(n)) / (float(n) * np.sqrt(2.0))
    near = (np.sqrt(float(n + 1)) - 1) / (float(n) * np.sqrt(2.0))
    simplex = np.empty((n + 1, n))
    simplex[0] = start
    for i in range(1, n + 1):
        for j in range(n):
            simplex[i, j] = (far if i - 1 == j else near) + start[j]
    return simplex


@njit(cache=True, nogil=True)
def _least(value):
    best = 0
    for i in range(len(value)):
        if value[i] < value[best]:
            best = i
    return best


@njit(cache=True, nogil=True)
def _worst_and_second(value, best):
    worst = 0
    for i in range(len(value)):
        if value[i] > value[worst]:
            worst = i
    second = best
    for i in range(len(value)):
        if value[second] < value[i] < value[worst]:
            second = i
    return worst, second


@njit(cache=True, nogil=True)
def _centroid(simplex, worst):
    n = simplex.shape[1]
    centre = np.empty(n)
    for i in range(n):
        total = 0.0
        for m in range(n + 1):
            if m != worst:
                total += simplex[m, i]
        centre[i] = total / float(n)
    return centre


@njit(cache=True, nogil=True)
def _step(simplex, value, fit):
    best = _least(value)
    worst, second = _worst_and_second(value, best)
    centre = _centroid(simplex, worst)
    reflected = centre + (centre - simplex[worst])
    error = squared_error(reflected, fit)
    if value[best] <= error < value[second]:
        simplex[worst], value[worst] = reflected, error
    if error < value[best]:
        _expand(simplex, value, (worst, centre, reflected, error), fit)
    if error >= value[second]:
        _contract(simplex, value, (best, worst, second, centre, reflected, error), fit)


@njit(cache=True, nogil=True)
def _expand(simplex, value, found, fit):
    worst, centre, reflected, error = found
    expanded = centre + 2.0 * (reflected - centre)
    further = squared_error(expanded, fit)
    if further < error:
        simplex[worst], value[worst] = expanded, further
    else:
        simplex[worst], value[worst] = reflected, error


@njit(cache=True, nogil=True)
def _contract(simplex, value, found, fit):
    best, worst, second, centre, reflected, error = found
    if error < value[worst]:
        contracted = centre + 0.5 * (reflected - centre)
    else:
        contracted = centre - 0.5 * (centre - simplex[worst])
    nearer = squared_error(contracted, fit)
    if nearer < value[worst]:
        simplex[worst], value[worst] = contracted, nearer
        return
    for row in range(len(simplex)):
        if row != best:
            simplex[row] = simplex[best] + (simplex[row] - simplex[best]) / 2.0
    value[worst] = squared_error(simplex[worst], fit)
    value[second] = squared_error(simplex[second], fit)


@njit(cache=True, nogil=True)
def _spread(value):
    n = len(value) - 1
    total = 0.0
    for i in range(n + 1):
        total += value[i]
    mean = total / float(n + 1)
    spread = 0.0
    for i in range(n + 1):
        spread += (value[i] - mean) * (value[i] - mean) / float(n)
    return np.sqrt(spread)
