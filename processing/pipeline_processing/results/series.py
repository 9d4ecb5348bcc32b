"""Points and batches as series, as InfluxDB and Kapacitor answer them.

In:   a frame, each row of which is a series of its own, or batches, each a series.
Out:  `{"name", "tags", "columns", "values"}` a series, without what is empty; times in RFC 3339.
      A point's tags are the series'; a batch has its group's, and the others of its rows are columns.
A batch's columns are those of its first point, as Kapacitor has them: what only later points have is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Column, Frame, Type
from pipeline_processing.points.keys import Keys, Series
from pipeline_processing.results.times import rfc3339

Rows = list[dict[str, Any]]


def series_of(data: Frame | Batches, keys: Keys) -> list[dict[str, Any]]:
    """One series a batch, or a row of a frame, in order."""
    if isinstance(data, Batches):
        return _of_batches(data, keys)
    fields = fields_of(data)
    return [
        _series(keys.series[series], {**dict(keys.series[series].tags)}, [time], [values], sorted(values))
        for series, time, values in zip(data.series.tolist(), _times(data), fields, strict=True)
    ]


def fields_of(frame: Frame) -> Rows:
    """Each row's fields by name, as JSON has them: durations in ns, times as text, nulls as None."""
    rows: Rows = [{} for _ in range(len(frame))]
    for (name, type_), column in frame.fields.items():
        values = _values(type_, column)
        if column.present is None:
            for row, value in zip(rows, values, strict=True):
                row[name] = value
        else:
            for at in column.present.nonzero()[0].tolist():
                rows[at][name] = values[at]
    return rows


def _of_batches(data: Batches, keys: Keys) -> list[dict[str, Any]]:
    fields, times = fields_of(data.rows), _times(data.rows)
    tags = [keys.series[each].tags for each in data.rows.series.tolist()]
    found = []
    for at, series in enumerate(data.series.tolist()):
        own = keys.series[series]
        rows = slice(int(data.start[at]), int(data.start[at + 1]))
        group = dict(own.tags)
        cells = [{**dict(each), **values} for each, values in zip(tags[rows], fields[rows], strict=True)]
        names = sorted([*fields[rows][0], *(tag for tag, _ in tags[rows][0] if tag not in group)]) if cells else []
        found.append(_series(own, group, times[rows], cells, names))
    return found


def _series(own: Series, tags: Mapping[str, str], times: list[str], rows: Rows, names: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": own.name} if own.name else {}
    if tags:
        found["tags"] = tags
    if rows:
        found["columns"] = ["time", *names]
        found["values"] = [[time, *map(row.get, names)] for time, row in zip(times, rows, strict=True)]
    return found


def _times(frame: Frame) -> list[str]:
    return [rfc3339(each) for each in frame.time_ns.tolist()]


def _values(type_: Type, column: Column) -> list[Any]:
    if type_ == "null":
        return [None] * len(column.values)
    values = column.values.tolist()
    return [rfc3339(each) for each in values] if type_ == "time" else values
