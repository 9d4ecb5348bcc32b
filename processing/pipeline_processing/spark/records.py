"""One shape for records, whichever source they come from.

In:   broker records, or Arrow batches of RECORD_SCHEMA.
Out:  the other of the two. Of the headers only one is kept, as a column: whether the message was sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from pipeline_queue.brokers import Record
from pipeline_queue.codec import REPEATED, is_repeated

RECORD_SCHEMA = (
    "topic string, partition int, offset long, append_time_ns long, key binary, value binary, repeated boolean"
)
RECORD_ARROW = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("append_time_ns", pa.int64()),
        ("key", pa.binary()),
        ("value", pa.binary()),
        ("repeated", pa.bool_()),
    ]
)


def as_batch(records: Sequence[Record]) -> pa.RecordBatch:
    columns = [[getattr(record, name) for record in records] for name in RECORD_ARROW.names[:-1]]
    columns.append([is_repeated(record) for record in records])
    return pa.RecordBatch.from_arrays(
        [pa.array(column, type=each.type) for column, each in zip(columns, RECORD_ARROW, strict=True)],
        schema=RECORD_ARROW,
    )


def as_records(batch: pa.RecordBatch) -> Iterator[Record]:
    columns = (batch.column(name).to_pylist() for name in RECORD_ARROW.names)
    for topic, partition, offset, append_time_ns, key, value, repeated in zip(*columns, strict=True):
        yield Record(
            topic=topic,
            partition=partition,
            offset=offset,
            append_time_ns=append_time_ns,
            key=key,
            value=value or b"",
            headers=(REPEATED,) if repeated else (),
        )
