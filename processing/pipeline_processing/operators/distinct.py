"""The values of a batch, each once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit

from pipeline_processing.operators.same_times import SameTimes
from pipeline_processing.operators.several_values import Results, ToBatches
from pipeline_processing.operators.typed_values import Part
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct(ToBatches):
    """Each value with the time of its first arrival, in the order of these times, then of the values."""

    KIND: ClassVar[str] = "distinct"
    TYPES = ("float", "int", "string", "bool")

    def results(self, part: Part, batches: Batches, state: SameTimes, keys: Keys) -> Results:
        some, rank = np.unique(part.values, return_inverse=True)
        rank = rank.reshape(-1)
        batch = part.batch_of_value()
        first = np.flatnonzero(_firsts(rank, part.start, len(some)))
        first = first[np.lexsort((rank[first], part.time_ns[first], batch[first]))]
        at = part.at[batch[first]]
        return Results(
            type=part.type,
            batch=at,
            values=part.values[first],
            time_ns=part.time_ns[first],
            series=batches.series[at],
        )


@njit(cache=True, nogil=True)
def _firsts(rank, start, ranks):
    """Where a batch has a value for the first time."""
    first = np.zeros(len(rank), dtype=np.bool_)
    seen_in = np.full(ranks, -1, dtype=np.int64)
    for batch in range(len(start) - 1):
        for i in range(start[batch], start[batch + 1]):
            first[i] = seen_in[rank[i]] != batch
            seen_in[rank[i]] = batch
    return first
