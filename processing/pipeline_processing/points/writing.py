"""Points as they leave a task or a reader: for a database's line protocol, or as a block.

In:   a frame and the task's keys, or what a reader has read.
Out:  points by the keys of their series; nulls are left out, durations and times are integers of ns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass

import numpy as np
from pipeline_queue.points.block import FieldColumn, Origin, PointBlock, Points, as_batch
from pipeline_queue.points.series_key import written

from pipeline_processing.points.frame import Frame, Rows, Type
from pipeline_processing.points.keys import Keys, Series
from pipeline_processing.points.reading import Mapping, SharedBlock

WRITTEN_AS: Dictionary[Type, str] = {
    "float": "float",
    "int": "int",
    "bool": "bool",
    "string": "string",
    "duration": "int",
    "time": "int",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What points are written under; empty ones mean each point's own."""

    database: str = ""
    retention_policy: str = ""
    measurement: str = ""


def points_of(frame: Frame, keys: Keys, names: Names) -> list[tuple[Origin, Points]]:
    """The points by database and retention policy, in their order; a point without fields is left out."""
    frame = frame.kept(_with_values(frame))
    used, code = np.unique(frame.series, return_inverse=True)
    origins: defaultdict[Origin, list[int]] = defaultdict(list)
    for at, series in enumerate(keys.series[each] for each in used.tolist()):
        origins[Origin(names.database or series.database, names.retention_policy or series.retention_policy)].append(at)
    return [
        (origin, as_points(frame.kept(np.isin(code, of_origin)), keys, measurement=names.measurement))
        for origin, of_origin in origins.items()
    ]


def as_points(frame: Frame, keys: Keys, *, measurement: str = "") -> Points:
    """All of one `measurement`, or each of its own where that is empty."""
    used, series = np.unique(frame.series, return_inverse=True)
    return Points(
        time_ns=frame.time_ns,
        series=series.astype(np.int32),
        keys=[_key(keys.series[each], measurement) for each in used.tolist()],
        fields=[
            FieldColumn(name, WRITTEN_AS[type_], column.values, column.present)
            for (name, type_), column in frame.fields.items()
            if type_ in WRITTEN_AS
        ],
    )


def block_of(read: SharedBlock, rows: Rows | None = None) -> PointBlock:
    """What was read, or its rows at these positions."""
    keys = Keys()
    points = as_points(read.frame(Mapping(), keys, first_cause=0, rows=rows), keys)
    return PointBlock(read.database, read.retention_policy, as_batch(points))


def _with_values(frame: Frame) -> np.ndarray:
    found = np.zeros(len(frame), dtype=bool)
    for (_, type_), column in frame.fields.items():
        if type_ in WRITTEN_AS:
            found |= column.mask()
    return found


def _key(series: Series, measurement: str) -> bytes:
    tags = ((name.encode(), value.encode()) for name, value in series.tags)
    return written((measurement or series.name).encode(), tags)
