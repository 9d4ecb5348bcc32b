"""Tables in one SQLite file: the embedded stand-in for Cassandra, with its rules.

In:      versioned rows; several processes may write and read one file (WAL).
Out:     rows by time. A write is one transaction: readers see all of a batch or nothing.
Refuses: (StoreUnavailable) a file that cannot be opened, is full, or stays locked for `BUSY_S`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from pipeline_output.errors import StoreUnavailable, TableDiffers, TableMissing
from pipeline_output.stores.protocol import INT64_MIN, ROWS_MAX, Durability
from pipeline_output.stores.rows import VERSION, checked
from pipeline_output.tables import NS_PER_S, Table, arrow_schema
from pipeline_output.write_ahead import BUSY_S, keep_log_ahead

SQL_TYPES = {"string": "text", "int64": "integer", "float64": "real", "boolean": "integer"}
SYNCHRONOUS = {"process": "normal", "disk": "full"}
"""In WAL mode `normal` survives the kill of any process; `full` waits for the disk at each commit."""


class SqliteStore:
    """See `Store`."""

    def __init__(self, path: Path, *, durability: Durability = "process") -> None:
        self.url = f"sqlite://{path}"
        with self._available("opening it"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            keep_log_ahead(self._file)
            self._file.execute(f"pragma synchronous = {SYNCHRONOUS[durability]}")

    def create(self, tables: Iterable[Table]) -> None:
        for table in tables:
            with self._available(f"creating `{table.name}`"):
                self._file.execute(create_statement(table))
                found = tuple(row[1] for row in self._file.execute(f'pragma table_info("{table.name}")'))
            if found != (*table.names, VERSION):
                raise TableDiffers(table.name, url=self.url, found=found[:-1], declared=table.names)

    def write(self, table: Table, rows: pa.Table, version: int) -> None:
        columns = checked(table, rows, version).to_pydict().values()
        statement = upsert_statement(table)
        with self._available(f"writing `{table.name}`", table), self._transaction():
            self._file.executemany(statement, zip(*columns, [version] * len(rows), strict=True))

    def read(self, table: Table, since_ns: int = INT64_MIN, limit: int = ROWS_MAX) -> pa.Table:
        with self._available(f"reading `{table.name}`", table):
            found = self._file.execute(select_statement(table), (since_ns, limit)).fetchall()
        schema = arrow_schema(table)
        columns = zip(*found, strict=True) if found else ((),) * len(schema)
        arrays = [_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)

    def expire(self, tables: Iterable[Table], now_ns: int) -> None:
        for table in tables:
            if table.ttl_s is None:
                continue
            with self._available(f"expiring `{table.name}`", table):
                oldest_ns = now_ns - table.ttl_s * NS_PER_S
                self._file.execute(f'delete from "{table.name}" where "{table.time}" < ?', (oldest_ns,))

    def close(self) -> None:
        self._file.close()

    @contextmanager
    def _available(self, doing: str, table: Table | None = None) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as cause:
            if table is not None and "no such table" in str(cause):
                raise TableMissing(table.name, url=self.url) from cause
            raise StoreUnavailable(self.url, doing=doing, cause=cause) from cause

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Take the write lock at once: a transaction that reads first may not wait for it later."""
        self._file.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._file.execute("rollback")
            raise
        self._file.execute("commit")


def create_statement(table: Table) -> str:
    columns = [f'"{column.name}" {_sql_type(table, column.name, column.kind)}' for column in table.columns]
    key = ", ".join(f'"{name}"' for name in table.order)
    body = ", ".join([*columns, f'"{VERSION}" integer not null', f"primary key ({key})"])
    return f'create table if not exists "{table.name}" ({body}) strict, without rowid'


def upsert_statement(table: Table) -> str:
    """A row that is there yields to one of the same or a newer version."""
    names = (*table.names, VERSION)
    quoted, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" for _ in names)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in table.key)
    key = ", ".join(f'"{name}"' for name in table.order)
    return (
        f'insert into "{table.name}" ({quoted}) values ({marks}) '
        f'on conflict ({key}) do update set {changes} where excluded."{VERSION}" >= "{table.name}"."{VERSION}"'
    )


def select_statement(table: Table) -> str:
    names = ", ".join(f'"{name}"' for name in table.names)
    order = ", ".join(f'"{name}"' for name in table.order)
    return f'select {names} from "{table.name}" where "{table.time}" >= ? order by {order} limit ?'


def _sql_type(table: Table, name: str, kind: str) -> str:
    return SQL_TYPES[kind] if name in table.optional else f"{SQL_TYPES[kind]} not null"


def _array(values: Iterable[object], kind: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(kind):
        return pa.array([None if value is None else bool(value) for value in values], kind)
    return pa.array(values, kind)
