"""What some numbers are together, so that two such summaries are that of all their numbers.

In:   float64 arrays without NaN, or summaries with the count of each.
Out:  sum, sum of squared distances from the mean, extremes, and a quantile sketch where one is wanted.
Sums are `math.fsum`, exact up to the last rounding, so an order changes nothing and a split changes mean and deviation
by less than 1e-9; an overflow becomes infinity instead of stopping the job.
From: Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983 (the merge of means and squares).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline_processing.sketch import Floats, Sketch


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`squares` is the sum of squared distances from the mean."""

    sum: float = 0.0
    squares: float = 0.0
    min: float = math.inf
    max: float = -math.inf
    sketch: Sketch = field(default_factory=Sketch)

    @classmethod
    def of(cls, values: Floats) -> Summary:
        """Of at least one number, without a sketch."""
        total = _sum(values.tolist())
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.square(values - total / len(values))
        return cls(sum=total, squares=_sum(squares.tolist()), min=float(values.min()), max=float(values.max()))

    @classmethod
    def merged(cls, parts: Sequence[Summary], counts: Sequence[int]) -> Summary:
        """Of at least one part; the order of the parts, each with its count above 0, does not matter."""
        total = _sum(part.sum for part in parts)
        mean = total / sum(counts)
        return cls(
            sum=total,
            squares=_sum(
                part.squares + count * _square(part.sum / count - mean)
                for part, count in zip(parts, counts, strict=True)
            ),
            min=min(part.min for part in parts),
            max=max(part.max for part in parts),
            sketch=Sketch.merged(part.sketch for part in parts),
        )


def _sum(numbers: Iterable[float]) -> float:
    addends = list(numbers)
    try:
        return math.fsum(addends)
    except (OverflowError, ValueError):  # beyond a double on the way, or infinities of both signs
        return sum(addends)


def _square(number: float) -> float:
    return number * number
