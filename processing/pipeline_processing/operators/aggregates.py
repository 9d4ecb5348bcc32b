"""Functions that make one number of a batch's values: count, sum, mean, median, mode, spread, stddev."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit

from pipeline_processing.operators.go_sort import go_sorted
from pipeline_processing.operators.influxql import Function, one_each, scattered
from pipeline_processing.operators.same_times import SameTimes
from pipeline_processing.operators.typed_values import Part, Typed
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame, Type
from pipeline_processing.points.keys import Keys

Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]
NO_TIME = np.iinfo(np.int64).min
"""Stands for the time of the batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate(Function):
    """One point a batch that has values, at the batch's time, with the tags of its group."""

    RESULTS: ClassVar[Mapping[Type, Type]] = {"float": "float", "int": "int"}
    """The type of the result, by that of the values."""
    OF_NONE: ClassVar[Type | None] = None
    """The type of the zero that an empty batch gives, or it gives none."""

    def reduced(self, batches: Batches, values: Typed, state: SameTimes, keys: Keys) -> Frame:
        has = values.type_code > 0
        at = np.flatnonzero(has) if self.OF_NONE is None else np.arange(len(batches))
        place = np.cumsum(has) - 1 if self.OF_NONE is None else at
        results = [(self.RESULTS[part.type], place[part.at], self.results(part)) for part in values.parts]
        if self.OF_NONE is not None:
            none = np.flatnonzero(~has)
            results.append(
                (self.OF_NONE, none, np.zeros(len(none), dtype=np.int64 if self.OF_NONE == "int" else float))
            )
        time_ns = batches.tmax_ns[at]
        if self.point_times:
            time_ns = self._own_times(time_ns, place, values)
        return one_each(batches, at, time_ns, scattered(results, len(at), self.name))

    def results(self, part: Part) -> np.ndarray:
        raise NotImplementedError

    def times(self, part: Part) -> np.ndarray:
        """Result times where points' own are asked for. Of aggregates few have one, and those by accident."""
        return np.full(len(part.at), NO_TIME)

    def _own_times(self, time_ns: np.ndarray, place: np.ndarray, values: Typed) -> np.ndarray:
        found = np.full(len(time_ns), NO_TIME if self.OF_NONE is None else 0)
        for part in values.parts:
            found[place[part.at]] = self.times(part)
        return np.where(found == NO_TIME, time_ns, found)


def only_of_single_values(part: Part) -> np.ndarray:
    return np.where(np.diff(part.start) == 1, part.time_ns[part.start[:-1]], NO_TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Aggregate):
    """How many values; 0 of an empty batch."""

    KIND: ClassVar[str] = "count"
    TYPES = ("float", "int", "string", "bool")
    RESULTS: ClassVar[Mapping[Type, Type]] = {"float": "int", "int": "int", "string": "int", "bool": "int"}
    OF_NONE: ClassVar[Type | None] = "int"

    def results(self, part: Part) -> np.ndarray:
        return np.diff(part.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(Aggregate):
    """The sum; 0.0 of an empty batch. With points' times its time is 1970, as Kapacitor's is."""

    KIND: ClassVar[str] = "sum"
    OF_NONE: ClassVar[Type | None] = "float"

    def results(self, part: Part) -> np.ndarray:
        return _sums(part.values, part.start)

    def times(self, part: Part) -> np.ndarray:
        return np.zeros(len(part.at), dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean(Aggregate):
    """The sum divided by how many there are; of integers a float."""

    KIND: ClassVar[str] = "mean"
    RESULTS: ClassVar[Mapping[Type, Type]] = {"float": "float", "int": "float"}

    def results(self, part: Part) -> np.ndarray:
        return _sums(part.values, part.start) / np.diff(part.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Median(Aggregate):
    """The middle value, or the mean of the two in the middle; of integers a float."""

    KIND: ClassVar[str] = "median"
    RESULTS: ClassVar[Mapping[Type, Type]] = {"float": "float", "int": "float"}

    def results(self, part: Part) -> np.ndarray:
        return _medians(part.values, part.start)

    def times(self, part: Part) -> np.ndarray:
        return only_of_single_values(part) if part.type == "float" else Aggregate.times(self, part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode(Aggregate):
    """The most frequent value; among such, the one that was there first."""

    KIND: ClassVar[str] = "mode"

    def results(self, part: Part) -> np.ndarray:
        return _modes(part.values, part.time_ns, part.start)

    def times(self, part: Part) -> np.ndarray:
        return only_of_single_values(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread(Aggregate):
    """The greatest value less the least."""

    KIND: ClassVar[str] = "spread"

    def results(self, part: Part) -> np.ndarray:
        return np.maximum.reduceat(part.values, part.start[:-1]) - np.minimum.reduceat(part.values, part.start[:-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stddev(Aggregate):
    """The standard deviation of a sample; 0 of a single value."""

    KIND: ClassVar[str] = "stddev"
    RESULTS: ClassVar[Mapping[Type, Type]] = {"float": "float", "int": "float"}

    def results(self, part: Part) -> np.ndarray:
        return _deviations(part.values, part.start)


@njit(cache=True, nogil=True)
def _sums(values, start):
    """In the order of arrival, so that they are Go's to the last bit."""
    sums = np.zeros(len(start) - 1, dtype=values.dtype)
    for batch in range(len(sums)):
        for i in range(start[batch], start[batch + 1]):
            sums[batch] += values[i]
    return sums


@njit(cache=True, nogil=True)
def _medians(values, start):
    medians = np.empty(len(start) - 1)
    for batch in range(len(medians)):
        ordered = np.sort(values[start[batch] : start[batch + 1]])
        middle = len(ordered) // 2
        medians[batch] = ordered[middle]
        if len(ordered) % 2 == 0:
            medians[batch] = ordered[middle - 1] + (ordered[middle] - ordered[middle - 1]) / 2
    return medians


@njit(cache=True, nogil=True)
def _modes(values, time_ns, start):
    modes = np.empty(len(start) - 1, dtype=values.dtype)
    for batch in range(len(modes)):
        order = go_sorted(values, start[batch], start[batch + 1])
        current, found, frequency, most = values[order[0]], values[order[0]], 0, 0
        current_ns, found_ns = time_ns[order[0]], time_ns[order[0]]
        for i in order:
            if values[i] != current:
                current, current_ns, frequency = values[i], time_ns[i], 1
                continue
            frequency += 1
            if most < frequency or (most == frequency and current_ns <= found_ns):
                found, found_ns, most = values[i], time_ns[i], frequency
        modes[batch] = found
    return modes


@njit(cache=True, nogil=True)
def _deviations(values, start):
    found = np.zeros(len(start) - 1)
    for batch in range(len(found)):
        first, stop = start[batch], start[batch + 1]
        if stop - first < 2:
            continue
        mean = 0.0
        for i in range(first, stop):
            mean += (values[i] - mean) / (i - first + 1)
        variance = 0.0
        for i in range(first, stop):
            variance += (values[i] - mean) * (values[i] - mean)
        found[batch] = np.sqrt(variance / (stop - first - 1))
    return found
