"""The order in which Go's `sort.Sort` (before 1.19) leaves equal values, which its quicksort mixes.

Which of several points of one value `percentile` chooses, and which of several modes `mode` finds, comes of that order.
In:   keys that compare with <.
Out:  positions, in the order of their keys.
From: Bentley and McIlroy, "Engineering a Sort Function", 1993: a ninther, three-way partition, Shell's step of 6 and
      insertion for at most 12, heapsort below 2 * log2(n) levels.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SMALL = 12
LARGE = 40
"""A pivot is the median of medians above this."""
STEP = 6
ENOUGH_EQUAL = 5


@njit(cache=True, nogil=True)
def go_sorted(key, first, stop):
    """The positions from `first` to `stop`, sorted."""
    order = np.arange(first, stop)
    depth, left = 0, len(order)
    while left > 0:
        depth, left = depth + 1, left >> 1
    todo = [(0, len(order), 2 * depth)]
    while len(todo) > 0:
        low, high, depth = todo.pop()
        while high - low > SMALL and depth > 0:
            depth -= 1
            middle_low, middle_high = _partitioned(key, order, low, high)
            if middle_low - low < high - middle_high:
                todo.append((low, middle_low, depth))
                low = middle_high
            else:
                todo.append((middle_high, high, depth))
                high = middle_low
        if high - low > SMALL:
            _heap_sort(key, order, low, high)
        else:
            _insertion_sort(key, order, low, high)
    return order


@njit(cache=True, nogil=True)
def _less(key, order, i, j):
    return key[order[i]] < key[order[j]]


@njit(cache=True, nogil=True)
def _swap(order, i, j):
    order[i], order[j] = order[j], order[i]


@njit(cache=True, nogil=True)
def _insertion_sort(key, order, low, high):
    for i in range(low + STEP, high):
        if _less(key, order, i, i - STEP):
            _swap(order, i, i - STEP)
    for i in range(low + 1, high):
        j = i
        while j > low and _less(key, order, j, j - 1):
            _swap(order, j, j - 1)
            j -= 1


@njit(cache=True, nogil=True)
def _heap_sort(key, order, first, stop):
    length = stop - first
    for root in range((length - 1) // 2, -1, -1):
        _sift(key, order, first, root, length)
    for last in range(length - 1, -1, -1):
        _swap(order, first, first + last)
        _sift(key, order, first, 0, last)


@njit(cache=True, nogil=True)
def _sift(key, order, first, root, length):
    while 2 * root + 1 < length:
        child = 2 * root + 1
        if child + 1 < length and _less(key, order, first + child, first + child + 1):
            child += 1
        if not _less(key, order, first + root, first + child):
            return
        _swap(order, first + root, first + child)
        root = child


@njit(cache=True, nogil=True)
def _median_to(key, order, one, two, three):
    """The median of three is at `one` after."""
    if _less(key, order, one, two):
        _swap(order, one, two)
    if _less(key, order, three, one):
        _swap(order, three, one)
        if _less(key, order, one, two):
            _swap(order, one, two)


@njit(cache=True, nogil=True)
def _partitioned(key, order, low, high):
    """Below the first of the two less than the pivot, from the second on greater, equal between."""
    middle = (low + high) >> 1
    if high - low > LARGE:
        eighth = (high - low) // 8
        _median_to(key, order, low, low + eighth, low + 2 * eighth)
        _median_to(key, order, middle, middle - eighth, middle + eighth)
        _median_to(key, order, high - 1, high - 1 - eighth, high - 1 - 2 * eighth)
    _median_to(key, order, low, middle, high - 1)
    a, c = low + 1, high - 1
    while a < c and _less(key, order, a, low):
        a += 1
    b, c = _split(key, order, (low, a), c)
    equal = high - c < ENOUGH_EQUAL
    if not equal and high - c < (high - low) // 4:
        b, c, equal = _equals_seen(key, order, (low, middle, high), (b, c))
    if equal:
        b = _equals_gathered(key, order, (low, a), b)
    _swap(order, low, b - 1)
    return b - 1, c


@njit(cache=True, nogil=True)
def _split(key, order, pivot_and_b, c):
    pivot, b = pivot_and_b
    while True:
        while b < c and not _less(key, order, pivot, b):
            b += 1
        while b < c and _less(key, order, pivot, c - 1):
            c -= 1
        if b >= c:
            return b, c
        _swap(order, b, c - 1)
        b += 1
        c -= 1


@njit(cache=True, nogil=True)
def _equals_seen(key, order, ends, cuts):
    """Tries three places for the pivot's equals: more than one says that there are many."""
    (pivot, middle, high), (b, c) = ends, cuts
    equals = 0
    if not _less(key, order, pivot, high - 1):
        _swap(order, c, high - 1)
        c += 1
        equals += 1
    if not _less(key, order, b - 1, pivot):
        b -= 1
        equals += 1
    if not _less(key, order, middle, pivot):
        _swap(order, middle, b - 1)
        b -= 1
        equals += 1
    return b, c, equals > 1


@njit(cache=True, nogil=True)
def _equals_gathered(key, order, pivot_and_a, b):
    pivot, a = pivot_and_a
    while True:
        while a < b and not _less(key, order, b - 1, pivot):
            b -= 1
        while a < b and _less(key, order, a, pivot):
            a += 1
        if a >= b:
            return b
        _swap(order, a, b - 1)
        a += 1
        b -= 1
