"""SQLite: the embedded stand-in for PostgreSQL, with its rules.

In:      rows of event tables; several processes may load into one file (WAL), one at a time.
Out:     tables of the declared columns, and `load_offsets` in the same file.
Refuses: (RowsRefused) what PostgreSQL's text refuses too, a NUL, and what a rule of somebody else forbids. (TableUnfit) a table
         that statements of ours do not fit. (TableHeldUp) one that is gone, or a rule at the commit. (DatabaseUnavailable) a file that cannot be opened, is full, or stays locked for
         `BUSY_S`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import chain
from operator import attrgetter
from pathlib import Path

from pipeline_queue.topics import Column

from pipeline_output.errors import DatabaseUnavailable, RowsRefused, TableHeldUp, TableUnfit
from pipeline_output.loader.database import OFFSET_COLUMNS, Progress, Rows, Turn
from pipeline_output.loader.event_table import KEY, OFFSETS, REQUIRED, EventTable, Found, lacking
from pipeline_output.write_ahead import keep_log_ahead

BUSY_S = 10.0
OF_A_TABLE = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT}
"""Primary result codes that are a matter of one table: a statement that does not fit it, a rule at the commit."""
KINDS = {"string": "text", "int64": "integer"}


class SqliteDatabase:
    """See `Database`. Who only asks how far it is makes no file."""

    synchronous = "normal"
    """In WAL mode it survives the kill of any process."""

    def __init__(self, path: Path) -> None:
        self.url, self._path = f"sqlite://{path}", path

    def prepare(self, tables: Iterable[EventTable]) -> None:
        with self._available("preparing its tables"), self._transaction():
            self._file.execute(CREATE_OFFSETS)
            for table in tables:
                self._prepare(table)

    @contextmanager
    def turn(self, table: EventTable) -> Iterator[Turn | None]:
        with self._available(f"loading `{table.name}`"), self._held_up(table), self._transaction():
            yield SqliteTurn(self._file, table)

    def progress(self) -> list[Progress]:
        with self._available("asking how far it is"):
            if not self._path.exists() or not self._file.execute(f"pragma table_info({OFFSETS})").fetchall():
                return []
            return [*map(_progress, self._file.execute(f"{SELECT_OFFSETS} order by topic, partition"))]

    def close(self) -> None:
        if "_file" in self.__dict__:
            self._file.close()

    @cached_property
    def _file(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
        keep_log_ahead(file)
        file.execute(f"pragma synchronous = {self.synchronous}")
        return file

    def _prepare(self, table: EventTable) -> None:
        try:
            self._file.execute(create_statement(table))
            there = self._file.execute(f'pragma table_info("{table.name}")').fetchall()
            key = tuple(name for _, name in sorted((place, name) for _, name, _, _, _, place in there if place))
            columns = {
                name: Found(kind=kind.lower(), is_demanded=bool(not_null) and default is None)
                for _, name, kind, not_null, default, _ in there
            }
            for column in lacking(table, columns, key, KINDS):
                self._file.execute(f'alter table "{table.name}" add column {_declared(column)}')
        except sqlite3.OperationalError as cause:
            if cause.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise
            raise TableUnfit(table.name, "table", found=str(cause), wanted="as declared") from cause

    @contextmanager
    def _available(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as cause:
            raise DatabaseUnavailable(self.url, doing=doing, cause=cause) from cause

    @contextmanager
    def _held_up(self, table: EventTable) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as cause:
            code = getattr(cause, "sqlite_errorcode", None)
            if code is None or code & 0xFF not in OF_A_TABLE:
                raise
            raise TableHeldUp(table.name, url=self.url, cause=cause) from cause

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Take the write lock at once, and so the turn: SQLite has one writer, whatever table it is at."""
        self._file.execute("begin immediate")
        try:
            yield
            self._file.execute("commit")
        except BaseException:
            if self._file.in_transaction:
                self._file.execute("rollback")
            raise


class SqliteTurn:
    """See `Turn`."""

    def __init__(self, file: sqlite3.Connection, table: EventTable) -> None:
        self._file, self._table = file, table

    def progress(self) -> dict[int, Progress]:
        found = self._file.execute(f"{SELECT_OFFSETS} where topic = ?", (self._table.topic.name,))
        return {each.partition: each for each in map(_progress, found)}

    def put(self, rows: Rows) -> int:
        values = attrgetter(*self._table.names)
        before = self._file.total_changes
        self._file.execute("savepoint put")
        try:
            self._file.executemany(insert_statement(self._table), map(values, chain.from_iterable(rows.batches())))
        except (sqlite3.IntegrityError, sqlite3.DataError) as cause:
            self._file.execute("rollback to put")
            raise RowsRefused(str(cause)) from cause
        finally:
            if self._file.in_transaction:
                self._file.execute("release put")
        return self._file.total_changes - before

    def keep(self, progress: Iterable[Progress]) -> None:
        rows = [tuple(getattr(each, name) for name in OFFSET_COLUMNS) for each in progress]
        self._file.executemany(f"insert or replace into {OFFSETS} values (?, ?, ?, ?, ?, ?, ?)", rows)


CREATE_OFFSETS = f"""
create table if not exists {OFFSETS} (
    topic text, partition integer, next_offset integer not null, loaded_at_ns integer not null,
    events integer not null, dead integer not null, gone integer not null, primary key (topic, partition)) strict"""
SELECT_OFFSETS = f"select {', '.join(OFFSET_COLUMNS)} from {OFFSETS}"


def create_statement(table: EventTable) -> str:
    body = ", ".join([*map(_declared, table.columns), f"primary key ({', '.join(KEY)})"])
    return f'create table if not exists "{table.name}" ({body}) strict'


def insert_statement(table: EventTable) -> str:
    """Of a key that comes twice the first one stands."""
    names, marks = ", ".join(f'"{name}"' for name in table.names), ", ".join("?" for _ in table.names)
    return f'insert into "{table.name}" ({names}) values ({marks}) on conflict ({", ".join(KEY)}) do nothing'


def _declared(column: Column) -> str:
    declared = [f'"{column.name}"', KINDS[column.kind]]
    if column.name in REQUIRED:
        declared.append("not null")
    if column.kind == "string":
        declared.append(f'constraint "{column.name} holds no NUL" check (instr("{column.name}", char(0)) = 0)')
    return " ".join(declared)


def _progress(row: tuple[str, int, int, int, int, int, int]) -> Progress:
    return Progress(**dict(zip(OFFSET_COLUMNS, row, strict=True)))  # type: ignore[arg-type]
