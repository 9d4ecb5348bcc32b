"""Frames back to blocks of points, as they travel."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from pipeline_queue.points.block import FieldColumn, Origin, Points
from pipeline_queue.points.series_key import key_of

from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys

WRITTEN = {"float": "float", "int": "int", "bool": "bool", "string": "string", "duration": "int", "time": "int"}
"""The types that fields have on the way; durations and times are whole ns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What points are written under; empty ones mean each point's own."""

    database: str = ""
    retention_policy: str = ""
    measurement: str = ""


def points_of(points: Frame, keys: Keys, names: Names) -> list[tuple[Origin, Points]]:
    """The points by database and retention policy, in their order; nulls are left out, and so is a point without fields."""
    points = points.kept(_with_values(points))
    used, code = np.unique(points.series, return_inverse=True)
    series = [keys.series[each] for each in used.tolist()]
    written = [key_of(names.measurement or each.name, each.tags) for each in series]
    origins: defaultdict[Origin, list[int]] = defaultdict(list)
    for at, each in enumerate(series):
        origins[Origin(names.database or each.database, names.retention_policy or each.retention_policy)].append(at)
    found = []
    for origin, of_origin in origins.items():
        rows = np.flatnonzero(np.isin(code, of_origin))
        found.append((origin, _points(points.take(rows), code[rows], written)))
    return found


def _with_values(points: Frame) -> np.ndarray:
    found = np.zeros(len(points), dtype=bool)
    for (_, type_), column in points.fields.items():
        if type_ != "null":
            found |= column.mask()
    return found


def _points(points: Frame, code: np.ndarray, written: list[bytes]) -> Points:
    fields = [
        FieldColumn(name, WRITTEN[type_], column.values, column.present)
        for (name, type_), column in points.fields.items()
        if type_ in WRITTEN
    ]
    return Points(time_ns=points.time_ns, series=code.astype(np.int32), keys=written, fields=fields)
