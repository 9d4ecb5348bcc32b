"""Tables in a Cassandra keyspace, one partition for each time bucket.

In:      rows with a version, which becomes the write timestamp of every cell: the newest wins, whoever comes last.
Out:     rows by time, bucket after bucket. They leave by themselves when their time to live is over, if they have one.
Refuses: (StoreUnavailable) when Cassandra does not answer within `timeout_s`.

An acknowledged row survives the kill of any process; power loss too, if the server is set to `commitlog_sync: batch`.
An empty value is written as one: it hides the value of an older version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_output.errors import TableDiffers, TableMissing
from pipeline_output.stores import cql
from pipeline_output.stores.cassandra_connection import (
    BatchStatement,
    BatchType,
    InvalidRequest,
    Statement,
    connection,
)
from pipeline_output.stores.cassandra_url import Address
from pipeline_output.stores.protocol import INT64_MIN, ROWS_MAX
from pipeline_output.stores.rows import by_bucket, checked
from pipeline_output.tables import Table, arrow_schema

BATCH_BYTES = 16 * 1024
"""Requests, not rows, are what a write costs. Cassandra's limits of batches (5 KiB warned of, 50 KiB refused) hold for those of
several partitions; ours are of one, hence one mutation each, of which 16 MiB are allowed."""
FOR_EVER = 0
"""As a time to live in CQL."""
CELL_BYTES = 12
"""A value that is not text, with what Cassandra adds to it."""


class CassandraStore:
    """See `Store`."""

    def __init__(self, address: Address) -> None:
        self.url = address.url
        self._address = address
        self._connection = connection(address)
        self._connection.connect()

    def create(self, tables: Iterable[Table]) -> None:
        where, define = self._address, self._connection.define
        keyspace = cql.create_keyspace(where.keyspace, datacenter=where.datacenter, replication=where.replication)
        define(f"creating keyspace `{where.keyspace}`", keyspace)
        define(f"creating `{cql.BUCKETS}`", cql.create_buckets(where.keyspace))
        for table in tables:
            define(f"creating `{table.name}`", cql.create_table(where.keyspace, table))
            self._check_columns(table)

    def write(self, table: Table, rows: pa.Table, version: int) -> None:
        fitting = checked(table, rows, version)
        with self._existing(table):
            statements = [
                each for bucket in by_bucket(table, fitting) for each in self._statements(table, *bucket, version)
            ]
            self._connection.write(f"writing `{table.name}`", statements)

    def read(self, table: Table, since_ns: int = INT64_MIN, limit: int = ROWS_MAX) -> pa.Table:
        doing, rows = f"reading `{table.name}`", cql.select_rows(self._address.keyspace, table)
        found: list[tuple[Any, ...]] = []
        with self._existing(table):
            self._connection.prepared(doing, rows)  # a missing table shows here, though it has no buckets
            for bucket in self._buckets(doing, table, since_ns):
                if len(found) < limit:
                    found += self._connection.rows(doing, rows, (bucket, since_ns, limit - len(found)))
        return _arrow(table, found)

    def expire(self, tables: Iterable[Table], now_ns: int) -> None:
        """Nothing to do: each row was written with its time to live."""

    def close(self) -> None:
        """The connection stays, for it is the process's and may have other users; it ends with the process."""

    def _check_columns(self, table: Table) -> None:
        values = (self._address.keyspace, table.name)
        rows = self._connection.rows(f"looking at `{table.name}`", cql.SELECT_COLUMNS, values)
        found, declared = {name for (name,) in rows}, {cql.bucket_column(table), *table.names}
        if found != declared:
            raise TableDiffers(table.name, url=self.url, found=sorted(found), declared=sorted(declared))

    def _statements(self, table: Table, bucket: int, rows: pa.Table, version: int) -> Iterator[Statement]:
        """One that says that the bucket is there, and the rows in batches for its partition."""
        doing, keyspace = f"writing `{table.name}`", self._address.keyspace
        ttl_s = self._ttl_s(table)
        yield self._connection.prepared(doing, cql.insert_bucket(keyspace)).bind((table.name, bucket, ttl_s))
        insert = self._connection.prepared(doing, cql.insert_row(keyspace, table))
        values = list(zip(*rows.to_pydict().values(), strict=True))
        for begin, end in pairwise([0, *_ends(rows)]):
            batch = BatchStatement(BatchType.UNLOGGED)
            for row in values[begin:end]:
                batch.add(insert, (bucket, *row, version, ttl_s))
            yield batch

    def _ttl_s(self, table: Table) -> int:
        """What the address says overrules the table, but not one that is kept for ever."""
        if table.ttl_s is None:
            return FOR_EVER
        return table.ttl_s if self._address.ttl_s is None else self._address.ttl_s

    def _buckets(self, doing: str, table: Table, since_ns: int) -> list[int]:
        first = (table.name, since_ns // table.bucket_ns)
        return [bucket for (bucket,) in self._connection.rows(doing, cql.select_buckets(self._address.keyspace), first)]

    @contextmanager
    def _existing(self, table: Table) -> Iterator[None]:
        try:
            yield
        except InvalidRequest as cause:
            if "does not exist" in str(cause) or "unconfigured table" in str(cause):
                raise TableMissing(table.name, url=self.url) from cause
            raise


def _ends(rows: pa.Table) -> list[int]:
    """Where to cut the rows into runs of `BATCH_BYTES`; a run may be larger than that by its first row."""
    size_bytes = pa.repeat(pa.scalar(CELL_BYTES * rows.num_columns, pa.int64()), len(rows))
    for text in (column for column in rows.columns if pa.types.is_string(column.type)):
        size_bytes = pc.add(size_bytes, pc.fill_null(pc.binary_length(text.combine_chunks()), 0))
    runs = pc.run_end_encode(pc.divide(pc.cumulative_sum(size_bytes), BATCH_BYTES))
    ends: list[int] = runs.run_ends.to_pylist()
    return ends


def _arrow(table: Table, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    schema = arrow_schema(table)
    columns = zip(*rows, strict=True) if rows else ((),) * len(schema)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
