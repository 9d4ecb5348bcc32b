"""The points of a batch with the greatest or the least values, in the order of their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from pipeline_processing.operators.group_series import merged
from pipeline_processing.operators.options import a_string, an_int, argument
from pipeline_processing.operators.same_times import SameTimes
from pipeline_processing.operators.several_values import Results, ToBatches
from pipeline_processing.operators.typed_values import Part
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys


def _call(given: Sequence[Any]) -> tuple[int, str, tuple[str, ...]]:
    if len(given) < 2:
        raise ValueError(f"takes a number, a field, and any number of tags and fields; got {len(given)} arguments")
    return an_int(given[0]), a_string(given[1]), tuple(a_string(each) for each in given[2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme(ToBatches):
    """Of several with one set of values of the tags or fields named, one counts; of equal values, the oldest."""

    LEAST: ClassVar[bool] = False

    of: tuple[int, str, tuple[str, ...]] = argument(
        _call, "how many, the field, and tags or fields whose values are once"
    )

    @property
    def field(self) -> str:
        return self.of[1]

    def results(self, part: Part, batches: Batches, state: SameTimes, keys: Keys) -> Results:
        most, _, names = self.of
        key = _keys_of(batches.rows.take(part.row), names, keys) if names else np.arange(len(part.row))
        chosen, sizes = _extremes((part.values, part.time_ns, key), part.start, most, self.LEAST)
        at = np.repeat(part.at, sizes)
        series = batches.rows.series[part.row[chosen]]
        return Results(
            type=part.type,
            batch=at,
            values=part.values[chosen],
            time_ns=part.time_ns[chosen],
            series=merged(series, batches.series[at], state.known, keys),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Top(Extreme):
    """The greatest values."""

    KIND: ClassVar[str] = "top"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottom(Extreme):
    """The least values."""

    KIND: ClassVar[str] = "bottom"
    LEAST: ClassVar[bool] = True


def _keys_of(rows: Frame, names: Sequence[str], keys: Keys) -> np.ndarray:
    """A number for each set of values that the rows have of the names: of fields, or tags where there is no field."""
    key = np.zeros(len(rows), dtype=np.int64)
    for name in names:
        value = _value_numbers(rows, name, keys)
        key = np.unique(key * (value.max(initial=0) + 1) + value, return_inverse=True)[1].reshape(-1)
    return key


def _value_numbers(rows: Frame, name: str, keys: Keys) -> np.ndarray:
    numbers: dict[tuple[str, Any], int] = {}
    series, which = np.unique(rows.series, return_inverse=True)
    tags = [dict(keys.series[each].tags).get(name, "") for each in series.tolist()]
    value = np.array([numbers.setdefault(("string", tag), len(numbers)) for tag in tags], dtype=np.int64)[
        which.reshape(-1)
    ]
    for type_, column in rows.columns_of(name).items():
        has = column.mask()
        some, which = np.unique(column.values[has], return_inverse=True)
        found = [numbers.setdefault((type_, each), len(numbers)) for each in some.tolist()]
        value[has] = np.array(found, dtype=np.int64)[which.reshape(-1)]
    return value


@njit(cache=True, nogil=True)
def _extremes(columns, start, most, least):
    """The positions chosen of each batch, in the order of their times, and how many."""
    value, time_ns, key = columns
    chosen, used = np.empty(len(value), dtype=np.int64), 0
    sizes = np.zeros(len(start) - 1, dtype=np.int64)
    place = np.full(key.max() + 1 if len(key) else 0, -1, dtype=np.int64)
    for batch in range(len(sizes)):
        heap = _best_of_keys(columns, (start[batch], start[batch + 1]), place, least)
        for root in range(len(heap) // 2 - 1, -1, -1):
            _sift(columns, heap, root, len(heap), least)
        sizes[batch] = max(0, min(most, len(heap)))
        for left in range(len(heap) - 1, len(heap) - 1 - sizes[batch], -1):
            heap[0], heap[left] = heap[left], heap[0]
            _sift(columns, heap, 0, left, least)
        popped = heap[::-1][: sizes[batch]]
        chosen[used : used + len(popped)] = popped[np.argsort(time_ns[popped], kind="mergesort")]
        used += len(popped)
    return chosen[:used], sizes


@njit(cache=True, nogil=True)
def _best_of_keys(columns, span, place, least):
    """The best position of each key, in the order of the keys' first arrivals; `place` is left as it was."""
    key = columns[2]
    best, count = np.empty(span[1] - span[0], dtype=np.int64), 0
    for i in range(span[0], span[1]):
        if place[key[i]] < 0:
            place[key[i]] = count
            best[count] = i
            count += 1
        elif _better(columns, i, best[place[key[i]]], least):
            best[place[key[i]]] = i
    for i in range(count):
        place[key[best[i]]] = -1
    return best[:count]


@njit(cache=True, nogil=True)
def _better(columns, one, other, least):
    value, time_ns, _ = columns
    if value[one] != value[other]:
        return value[one] < value[other] if least else value[one] > value[other]
    return time_ns[one] < time_ns[other]


@njit(cache=True, nogil=True)
def _sift(columns, heap, root, length, least):
    while 2 * root + 1 < length:
        child = 2 * root + 1
        if child + 1 < length and _better(columns, heap[child + 1], heap[child], least):
            child += 1
        if not _better(columns, heap[child], heap[root], least):
            return
        heap[root], heap[child] = heap[child], heap[root]
        root = child
