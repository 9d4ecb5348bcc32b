"""Quantiles from log-spaced integer buckets: mergeable, and independent of order.

In:   float64 arrays without NaN.
Out:  for each quantile a value within 1 % of the one at that rank, and bytes that are the same for the same values.
Refuses: bytes that are no sketch (BadSketch).
A bucket is one signed integer: 0 holds zero, k > 0 holds (g^(k-1-S), g^(k-S)] with g = 1.01/0.99 and S = SHIFT, -k the
same below zero; so the order of buckets is the order of values, and merging is adding counts. The whole range of a
double has 145,421 buckets; a second of one sensor fills some hundreds.
From: Masson, Rim, Lee, "DDSketch", VLDB 2019, without the collapsing of buckets.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline_processing.errors import BadSketch

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

ACCURACY = 0.01
SHIFT = 37_220
"""Above the bucket of the smallest double, 5e-324, whose logarithm is -744.4: every shifted bucket of a positive is
positive."""

_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GAMMA = math.log(_GAMMA)
_LOG_MIDDLE = math.log((1 + _GAMMA) / 2)
_HEADER = struct.Struct("<BBBIi")
"""Version, bytes per step between buckets, bytes per count, number of buckets, first bucket."""
_VERSION = 1
_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def _no_ints() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sketch:
    """Counts by bucket, buckets ascending; equal values give equal bytes."""

    buckets: Ints = field(default_factory=_no_ints)
    counts: Ints = field(default_factory=_no_ints)

    @classmethod
    def of(cls, values: Floats) -> Sketch:
        buckets, counts = np.unique(_bucket(values), return_counts=True)
        return cls(buckets=buckets, counts=counts)

    @classmethod
    def merged(cls, sketches: Iterable[Sketch]) -> Sketch:
        parts = list(sketches)
        if not parts:
            return cls()
        buckets, place = np.unique(np.concatenate([part.buckets for part in parts]), return_inverse=True)
        counts = np.zeros(len(buckets), dtype=np.int64)
        np.add.at(counts, place, np.concatenate([part.counts for part in parts]))
        return cls(buckets=buckets, counts=counts)

    @property
    def count(self) -> int:
        return int(self.counts.sum())

    def quantiles(self, fractions: Sequence[float]) -> list[float]:
        """The value at rank floor(q * (count - 1)) for each q, as numpy's method "lower" counts; NaN if nothing was
        added."""
        if not len(self.counts):
            return [math.nan] * len(fractions)
        ranks = np.floor(np.asarray(fractions) * (self.count - 1))
        at = np.searchsorted(np.cumsum(self.counts), ranks, side="right")
        return _value(self.buckets[at]).tolist()

    def to_bytes(self) -> bytes:
        if not len(self.buckets):
            return _HEADER.pack(_VERSION, 1, 1, 0, 0)
        steps = np.diff(self.buckets)
        step_width, count_width = _width(steps), _width(self.counts)
        header = _HEADER.pack(_VERSION, step_width, count_width, len(self.buckets), int(self.buckets[0]))
        return (
            header
            + steps.astype(_UNSIGNED[step_width]).tobytes()
            + self.counts.astype(_UNSIGNED[count_width]).tobytes()
        )

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Sketch:
        step_width, count_width, size, first = _read_header(encoded)
        if not size:
            return cls()
        at = _HEADER.size + (size - 1) * step_width
        if len(encoded) != at + size * count_width:
            raise BadSketch(f"{len(encoded)} bytes, {at + size * count_width} expected")
        steps = np.frombuffer(encoded[_HEADER.size : at], dtype=_UNSIGNED[step_width]).astype(np.int64)
        counts = np.frombuffer(encoded[at:], dtype=_UNSIGNED[count_width]).astype(np.int64)
        return cls(buckets=first + np.concatenate(([0], np.cumsum(steps))), counts=counts)


def _bucket(values: Floats) -> Ints:
    sizes = np.where(values == 0, 1.0, np.abs(values))
    place = np.ceil(np.log(sizes) / _LOG_GAMMA) + SHIFT
    return (np.sign(values) * place).astype(np.int64)


def _value(buckets: Ints) -> Floats:
    """The point of a bucket that is within ACCURACY of everything in it."""
    with np.errstate(over="ignore"):
        size = np.exp((np.abs(buckets) - SHIFT) * _LOG_GAMMA - _LOG_MIDDLE)
    return np.sign(buckets) * size


def _width(numbers: Ints) -> int:
    """Bytes that hold each of the numbers."""
    largest = int(numbers.max(initial=0))
    return next(width for width in _UNSIGNED if largest < 1 << 8 * width)


def _read_header(encoded: bytes) -> tuple[int, int, int, int]:
    if len(encoded) < _HEADER.size:
        raise BadSketch(f"{len(encoded)} bytes are shorter than its header")
    version, step_width, count_width, size, first = _HEADER.unpack_from(encoded)
    if version != _VERSION:
        raise BadSketch(f"version {version}, known is {_VERSION}")
    if step_width not in _UNSIGNED or count_width not in _UNSIGNED:
        raise BadSketch(f"widths {step_width} and {count_width}")
    return step_width, count_width, size, first
