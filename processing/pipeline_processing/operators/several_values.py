"""What functions share that make a batch of a batch: each of its points has one field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline_processing.operators.influxql import Function, scattered
from pipeline_processing.operators.operator import Edge
from pipeline_processing.operators.same_times import SameTimes
from pipeline_processing.operators.typed_values import Part, Typed
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame, Type
from pipeline_processing.points.keys import Ids, Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Of one type, those of a batch together: `batch` is its position among all, `series` the one of each result."""

    type: Type
    batch: np.ndarray
    values: np.ndarray
    time_ns: np.ndarray
    series: Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class ToBatches(Function):
    """A batch for each that has values. With points' times it is as new as its newest point."""

    GIVES: ClassVar[Edge | None] = "batch"

    def reduced(self, batches: Batches, values: Typed, state: SameTimes, keys: Keys) -> Batches:
        found = [self.results(part, batches, state, keys) for part in values.parts]
        at = np.flatnonzero(values.type_code > 0)
        batch = _together([each.batch for each in found])
        order = np.argsort(batch, kind="stable")
        batch = batch[order]
        time_ns = _together([each.time_ns for each in found])[order] if self.point_times else batches.tmax_ns[batch]
        tmax_ns = batches.tmax_ns.copy()
        np.maximum.at(tmax_ns, batch, time_ns)
        rows = Frame(
            time_ns=time_ns,
            series=_together([each.series for each in found])[order].astype(np.int32),
            group=batches.group[batch],
            cause=batches.cause[batch],
            fields=scattered(_placed(found, order), len(batch), self.name),
        )
        return Batches(
            tmax_ns=tmax_ns[at],
            series=batches.series[at],
            group=batches.group[at],
            cause=batches.cause[at],
            start=np.append(np.searchsorted(batch, at), len(batch)),
            rows=rows,
        )

    def results(self, part: Part, batches: Batches, state: SameTimes, keys: Keys) -> Results:
        raise NotImplementedError


def _together(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=np.int64), *arrays])


def _placed(found: Sequence[Results], order: np.ndarray) -> list[tuple[Type, np.ndarray, np.ndarray]]:
    """Each type's values with the positions that `order` gives them."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    placed, before = [], 0
    for each in found:
        at = place[before : before + len(each.values)]
        by_place = np.argsort(at)
        placed.append((each.type, at[by_place], each.values[by_place]))
        before += len(at)
    return placed
