"""Which sets of points fit lambdas, one point a lambda.

In:   for each lambda and point whether it fits, and the runs of points that may be put together.
Out:  sets, in the lexical order of their points' positions; within a set, each lambda has the first point that fits it and that
      no earlier lambda has.
From: Kapacitor's `combine`.
"""

from __future__ import annotations

import numpy as np
from numba import njit


def chosen_rows(fits: np.ndarray, start: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, int]:
    """For each set its rows (by lambda) and its run; and how many rows are of runs with more than `most` sets."""
    nothing = np.empty((0, len(fits)), dtype=np.int64)
    count, refused = _search(fits, start, most, nothing, nothing[:, 0])
    rows, run = np.empty((count, len(fits)), dtype=np.int64), np.empty(count, dtype=np.int64)
    _search(fits, start, most, rows, run)
    return rows, run, refused


@njit(cache=True, nogil=True)
def _search(fits, start, most, rows, run):
    """Fills what there is room for; how many sets there are, and how many rows were refused."""
    lambdas = len(fits)
    found = np.empty(lambdas, dtype=np.int64)
    n = refused = 0
    for each in range(len(start) - 1):
        points = start[each + 1] - start[each]
        if points < lambdas:
            continue
        if _exceeds(points, lambdas, most):
            refused += points
            continue
        at = np.arange(lambdas)
        going = True
        while going:
            if _assign(fits, start[each] + at, found):
                if n < len(run):
                    rows[n], run[n] = found, each
                n += 1
            going = _advance(at, points)
    return n, refused


@njit(cache=True, nogil=True)
def _exceeds(points, lambdas, most):
    """Whether more than `most` sets of so many points can be chosen; it stops before numbers overflow."""
    chosen = min(lambdas, points - lambdas)
    count = 1
    for i in range(chosen):
        count = count * (points - i) // (i + 1)
        if count > most:
            return True
    return count > most


@njit(cache=True, nogil=True)
def _assign(fits, rows, found):
    taken = np.zeros(len(rows), dtype=np.bool_)
    for each in range(len(fits)):
        found[each] = -1
        for i in range(len(rows)):
            if not taken[i] and fits[each, rows[i]]:
                found[each], taken[i] = rows[i], True
                break
        if found[each] < 0:
            return False
    return True


@njit(cache=True, nogil=True)
def _advance(at, points):
    """The next set in lexical order, in place; False after the last."""
    lambdas = len(at)
    i = lambdas - 1
    while i >= 0 and at[i] == i + points - lambdas:
        i -= 1
    if i < 0:
        return False
    at[i] += 1
    for j in range(i + 1, lambdas):
        at[j] = at[j - 1] + 1
    return True
