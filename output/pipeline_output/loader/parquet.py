"""Parquet files: a folder for each event type, a file for each turn that brought something new.

In:      rows of event tables; several processes may load into one folder, one at a time.
Out:     `FOLDER/TYPE/NUMBER.parquet`, whole and final as soon as its name is there; and FOLDER/.loaded.db, a SQLite file with the keys
         of all rows, the offsets, and the numbers of files that may not have their names yet.
         `select * from read_parquet('FOLDER/crash_report/*.parquet', union_by_name = true)`
Refuses: (RowsRefused) a NUL, as the databases do. (TableUnfit) files of another kind of column, or that the index does not know.
         (DatabaseUnavailable) a folder that cannot be written.
A turn writes its file beside, syncs it, commits keys, offsets and number, and gives the file its name. Who comes after a crash
finds what is beside: with a number that was committed it gets its name, without one it is removed.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pipeline_queue.events import Event
from pipeline_queue.topics import Column

from pipeline_output.errors import RowsRefused, TableUnfit
from pipeline_output.loader.database import Rows, Turn
from pipeline_output.loader.event_table import FILES, KEY, EventTable
from pipeline_output.loader.sqlite import SqliteDatabase, SqliteTurn

INDEX = ".loaded.db"
KINDS = {"string": pa.string(), "int64": pa.int64()}
BESIDE = "pending"
NUMBER = "[0-9]" * 12
"""As a pattern; other names in a folder are somebody else's."""


class ParquetDatabase(SqliteDatabase):
    """See `Database`. SQLite has all but the rows."""

    synchronous = "full"
    """A commit that a power failure takes back would leave a file whose rows come again."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / INDEX)
        self.url, self._folder = f"parquet://{folder}", folder

    @contextmanager
    def turn(self, table: EventTable) -> Iterator[Turn | None]:
        with self._available(f"loading `{table.name}`"), self._held_up(table):
            with self._transaction():
                self._finish(table)
                turn = ParquetTurn(self._file, table)
                yield turn
                written = self._write(table, turn.new) if turn.new else None
            if written is not None:
                _name(written)

    def _prepare(self, table: EventTable) -> None:
        (self._folder / table.name).mkdir(exist_ok=True)
        self._file.execute(CREATE_FILES)
        self._file.execute(
            f'create table if not exists "{table.name}" ({", ".join(f"{name} text" for name in KEY)}, '
            f"primary key ({', '.join(KEY)})) strict, without rowid"
        )
        self._finish(table)
        files = sorted((self._folder / table.name).glob(f"{NUMBER}.parquet"))
        if files:
            self._check(table, files[-1])

    def _check(self, table: EventTable, newest: Path) -> None:
        (known,) = self._file.execute(
            f"select coalesce(max(seq), 0) from sqlite_sequence where name = '{FILES}'"
        ).fetchone()
        if int(newest.stem) > known:
            wanted = f"one with the {INDEX} it was written with"
            raise TableUnfit(table.name, newest.name, found="a file that the index does not know", wanted=wanted)
        schema = pq.read_schema(newest)
        for column in table.columns:
            if column.name in schema.names and (found := schema.field(column.name).type) != KINDS[column.kind]:
                raise TableUnfit(table.name, column.name, found=str(found), wanted=str(KINDS[column.kind]))

    def _write(self, table: EventTable, parts: Sequence[pa.Table]) -> Path:
        number = self._file.execute(f"insert into {FILES} (type) values (?)", (table.name,)).lastrowid
        beside = self._folder / table.name / f".{number:012d}.{BESIDE}"
        try:
            with beside.open("wb") as file:
                pq.write_table(pa.concat_tables(parts), file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
            _sync(beside.parent)
        except BaseException:
            beside.unlink(missing_ok=True)  # a full disk gets its room back
            raise
        return beside

    def _finish(self, table: EventTable) -> None:
        """What a crash left beside; whoever holds the transaction is alone here."""
        for beside in (self._folder / table.name).glob(f".{NUMBER}.{BESIDE}"):
            number = int(beside.name.split(".")[1])
            if self._file.execute(f"select 1 from {FILES} where number = ?", (number,)).fetchone():
                _name(beside)
            else:
                beside.unlink()
        self._file.execute(f"delete from {FILES} where type = ?", (table.name,))


class ParquetTurn(SqliteTurn):
    """See `Turn`. `new` are the rows to write, by put."""

    def __init__(self, file: sqlite3.Connection, table: EventTable) -> None:
        super().__init__(file, table)
        self.new: list[pa.Table] = []
        self._insert = f'insert into "{table.name}" values (?, ?) on conflict do nothing'

    def put(self, rows: Rows) -> int:
        """Of a key that comes twice the first row stands."""
        self._file.execute("savepoint put")
        try:
            new = [event for batch in rows.batches() for event in self._unknown(batch)]
        except RowsRefused:
            self._file.execute("rollback to put")
            raise
        finally:
            if self._file.in_transaction:
                self._file.execute("release put")
        if new:
            self.new.append(arrow(new, self._table.columns))
        return len(new)

    def _unknown(self, batch: Sequence[Event]) -> Iterator[Event]:
        refuse_nul(batch, self._table.columns)
        key = attrgetter(*KEY)
        return (event for event in batch if self._file.execute(self._insert, key(event)).rowcount)


CREATE_FILES = (
    f"create table if not exists {FILES} (number integer primary key autoincrement, type text not null) strict"
)


def arrow(events: Sequence[Event], columns: Sequence[Column]) -> pa.Table:
    schema = pa.schema([(column.name, KINDS[column.kind]) for column in columns])
    return pa.table([[getattr(event, name) for event in events] for name in schema.names], schema=schema)


def refuse_nul(events: Sequence[Event], columns: Sequence[Column]) -> None:
    for column in columns:
        if column.kind == "string" and "\0" in "".join([getattr(event, column.name) for event in events]):
            raise RowsRefused(f"`{column.name}` holds no NUL")


def _name(beside: Path) -> None:
    """The name that readers look for, durably, before the number may be forgotten; another loader may have been faster."""
    try:
        beside.rename(beside.with_name(f"{beside.name.split('.')[1]}.parquet"))
    except FileNotFoundError:
        return
    _sync(beside.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
