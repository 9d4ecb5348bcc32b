"""Points to line protocol.

In:   points as arrays, and the unit of times.
Out:  bytes, a line a point, fields sorted by name. What line protocol cannot say is left out: floats that are no numbers, fields
      whose name begins with a tab or a NUL, which readers skip, points without another field, series with an empty part, or one that ends with a backslash, or a measurement that begins as a comment does. A newline in a tag is written `\\n`.
From: InfluxDB's line protocol reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_queue.points.block import FieldColumn, Points
from pipeline_queue.points.line_protocol import multiplier_of
from pipeline_queue.points.series_key import NEVER_FIRST, escaped_name, is_writable, read

SKIPPED = ("\t", "\0")
"""In front of a line's first field."""


def to_lines(points: Points, *, precision: str = "n") -> bytes:
    """Raises BadPrecision."""
    multiplier = multiplier_of(precision)
    columns = sorted((each for each in points.fields if _name(each.name)), key=lambda each: each.name)
    if not columns or not len(points):
        return b""
    fields = _joined([_column(each) for each in columns])
    keys = pa.array([_key(each) for each in points.keys], type=pa.utf8()).take(pa.array(points.series))
    times = pa.array(np.sign(points.time_ns) * (np.abs(points.time_ns) // multiplier)).cast(pa.utf8())
    lines = pc.binary_join_element_wise(keys, fields, pc.binary_join_element_wise(times, "\n", ""), " ")
    kept = pc.and_(pc.greater(pc.binary_length(fields), 0), keys.is_valid())
    return _together(lines.filter(kept))


def _key(key: bytes) -> str | None:
    """None for one that does not read back."""
    if b"\\" not in key and b"\n" not in key:
        return key.decode() if key and not key.startswith((b",", *NEVER_FIRST)) else None
    return key.replace(b"\n", b"\\n").decode() if is_writable(*read(key)) else None


def _name(name: str) -> str:
    """Escaped; empty for one that does not read back."""
    escaped = escaped_name(name.encode()).decode()
    return "" if escaped.startswith(SKIPPED) or escaped.endswith("\\") or "\n" in escaped else escaped


def _column(column: FieldColumn) -> pa.Array:
    """`name=value` for each row, null where it is missing."""
    begin, end = f"{_name(column.name)}=", ""
    missing = None if column.present is None else ~column.present
    if column.type == "float":
        infinite = ~np.isfinite(column.values)
        missing = infinite if missing is None else missing | infinite
    values = pa.array(column.values, mask=missing, type=pa.utf8() if column.type == "string" else None).cast(pa.utf8())
    if column.type == "string":
        values = pc.replace_substring(pc.replace_substring(values, "\\", "\\\\"), '"', '\\"')
        begin, end = begin + '"', '"'
    elif column.type == "int":
        end = "i"
    return pc.binary_join_element_wise(begin, values, end, "")


def _joined(columns: list[pa.Array]) -> pa.Array:
    """Row by row, empty where none has a value."""
    lacking = reduce(pc.and_, [each.is_null() for each in columns])
    first = pc.if_else(lacking, "", columns[0])  # pyarrow 26 would leave out rows in which all are missing
    return first if len(columns) == 1 else pc.binary_join_element_wise(first, *columns[1:], ",", null_handling="skip")


def _together(lines: pa.Array) -> bytes:
    """The texts one after the other."""
    if not len(lines):
        return b""
    offsets: Sequence[int] = np.frombuffer(lines.buffers()[1], dtype=np.int32)
    begin, end = int(offsets[lines.offset]), int(offsets[lines.offset + len(lines)])
    return lines.buffers()[2].slice(begin, end - begin).to_pybytes()
