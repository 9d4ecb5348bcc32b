"""Our own recordings: Parquet, a row a point, in the order of arrival.

In:      blocks.
Out:     `time` (ns since the epoch), `series` (a key, see series_key.py), `db`, `rp`, and a column for each field and type, called
         `float:usage`. The same blocks come back, but for their borders.
Refuses: a file of another layout (BadRecording).
Parquet wants all columns named at its beginning and a recording learns them as it goes, so blocks are spooled beside it first. Its library is imported
by who writes or reads one: 12 MB that a server of tasks has no need of before.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_queue.errors import BadRecording
from pipeline_queue.points.block import TYPES, PointBlock, encode
from pipeline_queue.topics import EVENTS_PER_BLOCK_MAX

if TYPE_CHECKING:
    import pyarrow.parquet as pq

Source: TypeAlias = Path | pa.NativeFile
LENGTH = struct.Struct("<I")
TEXT = pa.dictionary(pa.int32(), pa.utf8())
OWN = {"time": pa.int64(), "series": pa.dictionary(pa.int32(), pa.binary()), "db": TEXT, "rp": TEXT}
ROWS_PER_GROUP = 250_000
ARROW_OF = {name: type_ for type_, name in TYPES.items()}


class RecordingWriter:
    """Gathers blocks, then writes the file whole: until `finish` there is none."""

    def __init__(self, path: Path) -> None:
        self._path, self._spool_path = path, path.with_suffix(".spool")
        self._spool: IO[bytes] = self._spool_path.open("w+b")
        self._columns: dict[str, pa.DataType] = {}
        self.rows = 0

    def add(self, block: PointBlock) -> None:
        encoded = encode(block.origin, block.batch)
        self._spool.write(LENGTH.pack(len(encoded)) + encoded)
        self._columns |= {_column(each): each.type for each in list(block.batch.schema)[2:]}
        self.rows += len(block)

    @property
    def size_bytes(self) -> int:
        """Of what is gathered."""
        return self._spool.tell()

    def finish(self) -> int:
        """The file's size in bytes."""
        import pyarrow.parquet as pq

        schema = pa.schema(OWN | dict(sorted(self._columns.items())))
        beside = self._path.with_suffix(".new")
        with pq.ParquetWriter(beside, schema, compression="zstd") as writer:
            for table in self._tables(schema):
                writer.write_table(table)
        beside.replace(self._path)
        self.discard()
        return self._path.stat().st_size

    def discard(self) -> None:
        """Forget what is gathered."""
        self._spool.close()
        self._spool_path.unlink(missing_ok=True)

    def _tables(self, schema: pa.Schema) -> Iterator[pa.Table]:
        waiting: list[pa.RecordBatch] = []
        for block in self._blocks():
            waiting.append(_widened(block, schema))
            if sum(map(len, waiting)) >= ROWS_PER_GROUP:
                yield pa.Table.from_batches(waiting).unify_dictionaries()
                waiting = []
        if waiting:
            yield pa.Table.from_batches(waiting).unify_dictionaries()

    def _blocks(self) -> Iterator[PointBlock]:
        self._spool.seek(0)
        while head := self._spool.read(LENGTH.size):
            yield PointBlock.of(self._spool.read(*LENGTH.unpack(head)))


def recorded_blocks(source: Source, *, rows_max: int = EVENTS_PER_BLOCK_MAX) -> Iterator[PointBlock]:
    with _opened(source) as file:
        for batch in file.iter_batches(batch_size=rows_max):
            yield from _narrowed(batch)


def recorded_rows(source: Source) -> int:
    with _opened(source) as file:
        return file.metadata.num_rows


def is_recording(path: Path) -> bool:
    """Or another Parquet file; raises ArrowException, OSError for what is none."""
    import pyarrow.parquet as pq

    return _is_laid_out(pq.read_schema(path))


@contextmanager
def _opened(source: Source) -> Iterator[pq.ParquetFile]:
    """Raises BadRecording."""
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(source)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadRecording(f"it cannot be read: {error}") from error
    with file:
        if not _is_laid_out(file.schema_arrow):
            raise BadRecording(f"it is no recording: its columns begin with {', '.join(OWN)}, then `float:usage`")
        yield file


def _is_laid_out(schema: pa.Schema) -> bool:
    of_fields = list(schema)[len(OWN) :]
    return (
        schema.names[: len(OWN)] == list(OWN)
        and schema.types[0] == OWN["time"]
        and all(ARROW_OF.get(each.name.partition(":")[0]) == each.type for each in of_fields)
    )


def _column(field: pa.Field) -> str:
    return f"{TYPES[field.type]}:{field.name}"


def _widened(block: PointBlock, schema: pa.Schema) -> pa.RecordBatch:
    batch, rows = block.batch, len(block)
    columns = {_column(field): column for field, column in zip(list(batch.schema)[2:], batch.columns[2:], strict=True)}
    own = [
        batch.column(0),
        batch.column(1).cast(OWN["series"]),
        _same(block.database, rows),
        _same(block.retention_policy, rows),
    ]
    fields = [columns.get(name, pa.nulls(0)) for name in schema.names[len(own) :]]
    wide = [each if len(each) else pa.nulls(rows, schema.field(len(own) + at).type) for at, each in enumerate(fields)]
    return pa.record_batch([*own, *wide], schema=schema)


def _same(text: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), pa.array([text], pa.utf8()))


def _narrowed(batch: pa.RecordBatch) -> Iterator[PointBlock]:
    """One block a run of rows of one database and retention policy, with the columns that the run has."""
    if any(batch.column(name).null_count for name in OWN):
        raise BadRecording(f"a point lacks one of {', '.join(OWN)}")
    database, policy = (batch.column(name).cast(pa.utf8()) for name in ("db", "rp"))
    places = pc.binary_join_element_wise(database, policy, "\0").dictionary_encode().indices.to_numpy()
    borders = [0, *(np.flatnonzero(np.diff(places)) + 1).tolist(), len(batch)]
    for begin, end in pairwise(borders):
        rows = batch.slice(begin, end - begin)
        series = rows.column("series").cast(pa.binary()).dictionary_encode()
        fields = {name: rows.column(name) for name in batch.schema.names[len(OWN) :]}
        kept = {name: column for name, column in fields.items() if column.null_count < len(rows)}
        own = [rows.column("time"), series, *kept.values()]
        names = ["time", "series", *(name.partition(":")[2] for name in kept)]
        yield PointBlock(database[begin].as_py(), policy[begin].as_py(), pa.record_batch(own, names=names))
