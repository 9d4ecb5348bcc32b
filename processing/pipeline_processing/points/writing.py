"""Frames back to blocks of points, as they travel."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pipeline_queue.points.block import PointBlock
from pipeline_queue.points.series_key import key_of

from pipeline_processing.points.frame import Column, Frame, Type
from pipeline_processing.points.keys import Keys

ARROW_TYPES = {
    "float": pa.float64(),
    "int": pa.int64(),
    "bool": pa.bool_(),
    "string": pa.utf8(),
    "duration": pa.int64(),
    "time": pa.int64(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What points are written under; empty ones mean each point's own."""

    database: str = ""
    retention_policy: str = ""
    measurement: str = ""


def blocks_of(points: Frame, keys: Keys, names: Names) -> list[PointBlock]:
    """The points by database and retention policy, in their order; nulls are left out, and so is a point without fields."""
    points = points.kept(_with_values(points))
    used, code = np.unique(points.series, return_inverse=True)
    written = []
    places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for at, series in enumerate(keys.series[each] for each in used.tolist()):
        written.append(key_of(names.measurement or series.name, series.tags))
        place = names.database or series.database, names.retention_policy or series.retention_policy
        places[place].append(at)
    return [
        PointBlock(database, policy, _batch(points.take(rows), code[rows], written))
        for (database, policy), series in places.items()
        if (rows := np.flatnonzero(np.isin(code, series))).size
    ]


def _with_values(points: Frame) -> np.ndarray:
    found = np.zeros(len(points), dtype=bool)
    for (_, type_), column in points.fields.items():
        if type_ != "null":
            found |= column.mask()
    return found


def _batch(points: Frame, code: np.ndarray, written: list[bytes]) -> pa.RecordBatch:
    series = pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int32)), pa.array(written, pa.binary()))
    fields = [(name, type_, column) for (name, type_), column in points.fields.items() if type_ != "null"]
    return pa.RecordBatch.from_arrays(
        [pa.array(points.time_ns), series, *(_array(type_, column) for _, type_, column in fields)],
        names=["time", "series", *(name for name, _, _ in fields)],
    )


def _array(type_: Type, column: Column) -> pa.Array:
    absent = None if column.present is None else ~column.present
    return pa.array(column.values, ARROW_TYPES[type_], mask=absent)
