"""Lines of JSON, each a point or a batch of points.

In:      `{"name": "cpu", "tags": {..}, "fields": {..}, "time": ..}`, the time in RFC 3339 or in ns, `db` and `rp` beside it if they
         are not those that the caller says; or `{"name": .., "tags": {..}, "points": [{"fields", "tags", "time"}, ..]}`, the lines
         of Kapacitor's `.brpl`.
Out:     rows in order. Of a point's numbers those without fraction and exponent are integers; in batches all are floats, as
         Kapacitor reads them. The borders of batches, and their `tmax`, are not kept: the points are a stream.
Refuses: (BadRecording) anything else; the line is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pipeline_queue.errors import BadRecording
from pipeline_queue.points.series_key import key_of
from pipeline_queue.recordings.rows import Dbrp, Row, Value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


def rows_of_json(lines: Iterable[str], dbrp: Dbrp) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield from _rows(msgspec.json.decode(line), dbrp)
            except (ValueError, TypeError, AttributeError, KeyError) as cause:
                told = f"it has no {cause}" if isinstance(cause, KeyError) else str(cause)
                raise BadRecording(told, line=number, text=line.strip()) from None


def _rows(told: Mapping[str, Any], dbrp: Dbrp) -> Iterator[Row]:
    if "points" in told:
        tags = told.get("tags") or {}
        for point in told["points"] or ():
            fields = {name: _as_float(value) for name, value in point["fields"].items()}
            yield _row({"name": told["name"], "tags": point.get("tags") or tags, "time": point["time"]}, fields, dbrp)
    else:
        yield _row(told, told["fields"], (told.get("db", dbrp[0]), told.get("rp", dbrp[1])))


def _row(told: Mapping[str, Any], fields: Mapping[str, Any], dbrp: Dbrp) -> Row:
    values = {name: value for name, value in fields.items() if value is not None}
    wrong = [name for name, value in values.items() if not isinstance(value, (float, int, str))]
    if wrong or not values:
        raise ValueError(f"the field {wrong[0]} is no number, text or truth" if wrong else "it has no fields")
    series = key_of(told["name"], (told.get("tags") or {}).items())
    return Row(dbrp, series, _time_ns(told["time"]), values)


def _as_float(value: Value | None) -> Value | None:
    return float(value) if type(value) is int else value


def _time_ns(told: object) -> int:
    if type(told) is int:
        return told
    found = TIME.fullmatch(told) if isinstance(told, str) else None
    if not found:
        raise ValueError(f"{told!r} is no time: RFC 3339, or an integer in ns")
    whole, fraction, zone = found.groups()
    seconds = (datetime.fromisoformat(whole + zone.replace("Z", "+00:00")) - EPOCH) // timedelta(seconds=1)
    return seconds * 10**9 + int((fraction or "").ljust(9, "0"))
