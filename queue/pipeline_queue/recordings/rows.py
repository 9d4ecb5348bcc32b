"""Single points gathered into blocks.

In:      points one by one, in order.
Out:     blocks in the same order; one ends where the database or the retention policy changes, or when it is full.
Refuses: an integer of more than 64 bits (BadRecording).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from typing import TypeAlias

import pyarrow as pa

from pipeline_queue.errors import BadRecording
from pipeline_queue.points.block import PointBlock
from pipeline_queue.topics import EVENTS_PER_BLOCK_MAX

Dbrp: TypeAlias = tuple[str, str]
"""A database and a retention policy."""
Value: TypeAlias = float | int | bool | str
ARROW: Mapping[type, pa.DataType] = {float: pa.float64(), int: pa.int64(), bool: pa.bool_(), str: pa.utf8()}


@dataclass(frozen=True, slots=True)
class Row:
    """`series` is a key as series_key.py writes it."""

    dbrp: Dbrp
    series: bytes
    time_ns: int
    fields: Mapping[str, Value]


def blocks_of(rows: Iterable[Row], *, rows_max: int = EVENTS_PER_BLOCK_MAX) -> Iterator[PointBlock]:
    for dbrp, run in groupby(rows, attrgetter("dbrp")):
        while taken := list(islice(run, rows_max)):
            yield PointBlock(*dbrp, batch_of(taken))


def batch_of(rows: Sequence[Row]) -> pa.RecordBatch:
    """In the layout of block.py."""
    columns: dict[tuple[str, type], list[Value | None]] = {}
    for at, row in enumerate(rows):
        for name, value in row.fields.items():
            columns.setdefault((name, type(value)), [None] * len(rows))[at] = value
    try:
        fields = [pa.array(values, ARROW[kind]) for (_, kind), values in columns.items()]
        times = pa.array([row.time_ns for row in rows], pa.int64())
    except (OverflowError, pa.ArrowInvalid) as error:
        raise BadRecording(f"an integer does not fit in 64 bits: {error}") from error
    series = pa.array([row.series for row in rows], pa.binary()).dictionary_encode()
    return pa.record_batch([times, series, *fields], names=["time", "series", *(name for name, _ in columns)])
