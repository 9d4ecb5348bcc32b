"""Parquet files that others wrote, a row a point: what a loader or a store keeps, or anybody's; recordings of ours among them.

In:      a file, or a folder of such; which column is the time, and which ones are tags, where it is no recording.
Out:     blocks, in the order of the files' names and of their rows. Integers, floats, truths and texts are fields; null is missing.
Refuses: (BadRecording) files that are none, a column that is not there, a time that is missing or no time, other kinds of columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.types as kinds

from pipeline_queue.errors import BadRecording
from pipeline_queue.points.block import PointBlock
from pipeline_queue.points.series_key import key_of
from pipeline_queue.recordings.parquet import is_recording, recorded_blocks
from pipeline_queue.recordings.rows import Dbrp
from pipeline_queue.topics import EVENTS_PER_BLOCK_MAX

TIME_NS = pa.timestamp("ns")
AS_FIELD = (
    (kinds.is_boolean, pa.bool_()),
    (kinds.is_integer, pa.int64()),
    (kinds.is_floating, pa.float64()),
    (lambda kind: kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_dictionary(kind), pa.utf8()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What rows are as points. `time` is a column of integers, ns since the epoch, or of timestamps."""

    dbrp: Dbrp
    measurement: str
    time: str
    tags: Sequence[str] = ()


def table_blocks(path: Path, rows: Rows) -> Iterator[PointBlock]:
    for each in files_in(path):
        try:
            yield from recorded_blocks(each) if is_recording(each) else _table_blocks(each, rows)
        except BadRecording as refusal:
            raise refusal.of(each) from None
        except (pa.ArrowException, OSError) as cause:
            raise BadRecording(f"it cannot be read: {cause}").of(each) from None


def column_names(path: Path) -> list[str]:
    """Of the first file."""
    import pyarrow.parquet as pq

    first = files_in(path)[0]
    try:
        return pq.read_schema(first).names
    except (pa.ArrowException, OSError) as cause:
        raise BadRecording(f"it cannot be read: {cause}").of(first) from None


def files_in(path: Path) -> list[Path]:
    """Names that begin with a dot are no reader's business."""
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.glob("*.parquet") if not each.name.startswith("."))
    if not found:
        raise BadRecording("no file in it ends with .parquet").of(path)
    return found


def _table_blocks(path: Path, rows: Rows) -> Iterator[PointBlock]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        _check(file.schema_arrow, rows)
        for batch in file.iter_batches(batch_size=EVENTS_PER_BLOCK_MAX):
            yield PointBlock(*rows.dbrp, _as_points(batch, rows))


def _check(schema: pa.Schema, rows: Rows) -> None:
    for name in (rows.time, *rows.tags):
        if name not in schema.names:
            raise BadRecording(f"it has no column `{name}`; there are {', '.join(schema.names)}")
    if not kinds.is_int64(kind := schema.field(rows.time).type) and not kinds.is_timestamp(kind):
        raise BadRecording(f"`{rows.time}` is {kind}, and no time: int64 in ns, or a timestamp")


def _as_points(batch: pa.RecordBatch, rows: Rows) -> pa.RecordBatch:
    time = batch.column(rows.time)
    if time.null_count:
        raise BadRecording(f"a row has no `{rows.time}`")
    if kinds.is_timestamp(time.type):
        time = time.cast(TIME_NS if time.type.tz is None else pa.timestamp("ns", "UTC"))
    fields = {
        name: _field(name, batch.column(name)) for name in batch.schema.names if name not in {rows.time, *rows.tags}
    }
    kept = {name: column for name, column in fields.items() if column.null_count < len(column)}
    names = ["time", "series", *kept]
    return pa.record_batch([time.cast(pa.int64()), _series(batch, rows), *kept.values()], names=names)


def _series(batch: pa.RecordBatch, rows: Rows) -> pa.Array:
    columns = [batch.column(name).cast(pa.utf8()).to_pylist() for name in rows.tags]
    of_rows = list(zip(*columns, strict=True)) if columns else [()] * len(batch)
    keys = {
        values: key_of(
            rows.measurement, [(name, value) for name, value in zip(rows.tags, values, strict=True) if value]
        )
        for values in dict.fromkeys(of_rows)
    }
    return pa.array([keys[each] for each in of_rows], pa.binary()).dictionary_encode()


def _field(name: str, column: pa.Array) -> pa.Array:
    kind = next((as_kind for is_kind, as_kind in AS_FIELD if is_kind(column.type)), None)
    if kind is None:
        raise BadRecording(f"`{name}` is {column.type}; fields are integers, floats, truths and texts")
    return column.cast(kind)
