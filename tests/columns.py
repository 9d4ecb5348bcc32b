"""Points as frames, and columns as values, for tests of what is computed over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pipeline_processing.expressions import Evaluated
from pipeline_processing.points.frame import DTYPES, Column, Frame, Key
from pipeline_processing.points.keys import Group, Keys, Series, sorted_tags


def frame_of(points: Sequence[dict[str, Any]], keys: Keys) -> Frame:
    """Of points with `fields` by (kind, value), and perhaps a `group`, `tags` and `time_ns`."""
    columns: dict[Key, Column] = {}
    for row, point in enumerate(points):
        for name, (kind, value) in point["fields"].items():
            if (name, kind) not in columns:
                values = np.zeros(len(points), dtype=DTYPES[kind])
                values[:] = "" if kind == "string" else 0
                columns[name, kind] = Column(values, np.zeros(len(points), dtype=bool))
            columns[name, kind].values[row] = value or False if kind == "null" else value
            columns[name, kind].present[row] = True
    tags = [sorted_tags(point.get("tags", {}).items()) for point in points]
    return Frame(
        time_ns=np.array([point.get("time_ns", 0) for point in points], dtype=np.int64),
        series=np.array([keys.series_id(Series("d", "r", "m", each)) for each in tags], dtype=np.int32),
        group=np.array([keys.group_id(Group((("g", str(p.get("group", 0))),))) for p in points], dtype=np.int32),
        cause=np.arange(len(points)),
        fields={key: Column(each.values) if each.present.all() else each for key, each in columns.items()},
    )


def values_of(evaluated: Evaluated, rows: int) -> list[Any]:
    """(kind, value) of each row; None where it is an error."""
    found: list[Any] = [None] * rows
    for kind, column in evaluated.columns.items():
        for row in np.flatnonzero(column.mask()).tolist():
            assert found[row] is None
            value = column.values[row]
            found[row] = kind, value.item() if isinstance(value, np.generic) else value
    return found
