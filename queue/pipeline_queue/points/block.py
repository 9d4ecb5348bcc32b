"""Points as they travel: one Arrow record batch a message.

In:      columns of points in the order of their arrival.
Out:     an Arrow IPC stream: `time` (int64, ns since the epoch), `series` (dictionary of keys, see series_key.py), and a
         column for each field and type that it has; null is missing. A field of two types has two columns of its name.
         Metadata holds `db` and `rp`.
Refuses: bytes that are no such block (BadBlock).
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from pipeline_queue.errors import BadBlock
from pipeline_queue.topics import BLOCK_BYTES_MAX, EVENTS_PER_BLOCK_MAX

ENCODING = ("encoding", b"arrow")
TYPES = {pa.float64(): "float", pa.int64(): "int", pa.bool_(): "bool", pa.utf8(): "string"}


@dataclass(frozen=True, slots=True)
class PointBlock:
    database: str
    retention_policy: str
    batch: pa.RecordBatch

    def __len__(self) -> int:
        return self.batch.num_rows


def encode(block: PointBlock) -> bytes:
    schema = block.batch.schema.with_metadata({"db": block.database, "rp": block.retention_policy})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(block.batch.replace_schema_metadata(schema.metadata))
    return sink.getvalue().to_pybytes()


def decode(value: bytes) -> PointBlock:
    """Raises BadBlock."""
    try:
        with pa.ipc.open_stream(value) as reader:
            batch = reader.read_next_batch()
        metadata = batch.schema.metadata or {}
        _check(batch)
        return PointBlock(metadata[b"db"].decode(), metadata[b"rp"].decode(), batch)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, KeyError, UnicodeDecodeError, StopIteration, OSError) as error:
        raise BadBlock(str(error)) from error


def _check(batch: pa.RecordBatch) -> None:
    names = batch.schema.names
    if names[:2] != ["time", "series"] or not pa.types.is_dictionary(batch.schema.field(1).type):
        raise KeyError("a block of points begins with the columns `time` and `series`")
    batch.validate(full=True)


def fitting(block: PointBlock) -> list[bytes]:
    """The block encoded, in as many pieces as the limits want."""
    size = len(block)
    encoded = encode(block) if size <= EVENTS_PER_BLOCK_MAX else b""
    if encoded and (len(encoded) <= BLOCK_BYTES_MAX or size == 1):
        return [encoded]
    half = size // 2
    pieces = (block.batch.slice(0, half), block.batch.slice(half))
    return [
        each
        for piece in pieces
        for each in fitting(PointBlock(block.database, block.retention_policy, piece))
    ]
