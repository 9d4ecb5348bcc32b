"""PostgreSQL: rows go in by COPY.

In:      rows of event tables. COPY goes straight into the table under a savepoint; rows of which one key is there already
         go through a temporary table, whose new ones are kept.
Out:     tables of the declared columns, and `load_offsets` in the same database.
Refuses: (RowsRefused) rows that break a rule of the data: classes 22, 23, 44, 54 and P0 of SQLSTATE. (TableUnfit) a table that
         statements of ours do not fit. (DatabaseUnavailable) a connection that is gone and what AWAY names, after
         which this object is of no more use. (TableHeldUp) all else, as missing rights or a rule at the commit: others may be well.
One loader at a table: an advisory lock that ends with its transaction, so that no row needs to be there to be locked, and
two loaders never wait for each other's keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import class_row

from pipeline_output.errors import BadDatabaseUrl, DatabaseUnavailable, RowsRefused, TableHeldUp, TableUnfit
from pipeline_output.loader.copy_text import CopyText
from pipeline_output.loader.database import OFFSET_COLUMNS, Progress, Rows, Turn
from pipeline_output.loader.event_table import KEY, OFFSETS, REQUIRED, STAGING, EventTable, Found, lacking

KINDS = {"string": "text", "int64": "bigint"}
REFUSALS = ("22", "23", "44", "54", "P0")
"""Data exception, integrity constraint, check option, a limit of the engine (an index entry), raised by a trigger."""
AWAY = ("08", "25006", "53", "57P", "58", "XX")
"""Connection, a standby that only reads, resources, shutdown, system, internal: no matter of one table."""
HOST = r"([\w.%-]+|\[[\da-fA-F:.]+\])(:\d+)?"
URL = re.compile(rf"postgres(ql)?://([^@/\s]*@)?{HOST}(,{HOST})*/[^@/?\s]+(\?[^@\s]*)?")
"""A `/` or `@` of a password is percent-encoded; as it stands, libpq would take what is behind it for a host and show it."""
LOCKS = 0x6C6F6164
"""The first half of our advisory locks' keys: `load`."""
READ_BYTES = 64 * 1024
REASON_LENGTH_MAX = 500
"""A letter's headers have room for 4 KiB."""
CONNECTION = {
    "client_encoding": "utf8",
    "application_name": "pipeline-loader",
    "connect_timeout": 10,
    # A server whose machine is gone is noticed within half a minute; one that is slow is waited for.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}


class PostgresDatabase:
    """See `Database`."""

    def __init__(self, url: str) -> None:
        self.url = shown(url)
        with self._available("connecting"):
            self._connection = psycopg.connect(url, autocommit=True, **CONNECTION)

    def prepare(self, tables: Iterable[EventTable]) -> None:
        with self._available("preparing its tables"), self._connection.transaction():
            self._connection.execute("select pg_advisory_xact_lock(%s, 0)", (LOCKS,))
            if not self._is_there(OFFSETS):
                self._connection.execute(CREATE_OFFSETS)
            for table in tables:
                self._prepare(table)

    @contextmanager
    def turn(self, table: EventTable) -> Iterator[Turn | None]:
        with self._available(f"loading `{table.name}`"), self._held_up(table), self._connection.transaction():
            taken = self._connection.execute(
                "select pg_try_advisory_xact_lock(%s, hashtext(%s))", (LOCKS, table.topic.name)
            ).fetchone()
            self._connection.execute(
                "set constraints all immediate"
            )  # a row is refused when it is put, not at the commit
            yield PostgresTurn(self._connection, table) if taken == (True,) else None

    def progress(self) -> list[Progress]:
        with (
            self._available("asking how far it is"),
            self._connection.cursor(row_factory=class_row(Progress)) as cursor,
        ):
            try:
                return cursor.execute(SELECT_OFFSETS + " order by topic, partition").fetchall()
            except psycopg.errors.UndefinedTable:
                return []

    def close(self) -> None:
        self._connection.close()

    def _prepare(self, table: EventTable) -> None:
        """Who may not create tables may have what is there, which `create if not exists` refuses."""
        try:
            if not self._is_there(table.name):
                self._connection.execute(create_statement(table))
            for column in lacking(table, self._columns(table), self._key(table), KINDS):
                statement = "alter table {} add column if not exists {} {}"
                self._connection.execute(_composed(statement, table.name, column.name, sql.SQL(KINDS[column.kind])))
        except psycopg.errors.InsufficientPrivilege as cause:
            raise TableHeldUp(table.name, url=self.url, cause=_reason(cause)) from cause
        except psycopg.ProgrammingError as cause:
            raise TableUnfit(table.name, "table", found=_reason(cause), wanted="as declared") from cause

    def _is_there(self, name: str) -> bool:
        return self._connection.execute("select to_regclass(%s) is not null", (f'"{name}"',)).fetchone() == (True,)

    def _columns(self, table: EventTable) -> dict[str, Found]:
        rows = self._connection.execute(SELECT_COLUMNS, (f'"{table.name}"',)).fetchall()
        return {name: Found(kind=kind, is_demanded=is_demanded) for name, kind, is_demanded in rows}

    def _key(self, table: EventTable) -> tuple[str, ...]:
        return tuple(name for (name,) in self._connection.execute(SELECT_KEY, (f'"{table.name}"',)).fetchall())

    @contextmanager
    def _available(self, doing: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as cause:
            raise DatabaseUnavailable(self.url, doing=doing, cause=cause) from cause

    @contextmanager
    def _held_up(self, table: EventTable) -> Iterator[None]:
        """What is left is a matter of this table."""
        try:
            yield
        except psycopg.Error as cause:
            if self._connection.closed or cause.sqlstate is None or cause.sqlstate.startswith(AWAY):
                raise
            raise TableHeldUp(table.name, url=self.url, cause=_reason(cause)) from cause


class PostgresTurn:
    """See `Turn`."""

    def __init__(self, connection: psycopg.Connection[Any], table: EventTable) -> None:
        self._connection, self._table = connection, table

    def progress(self) -> dict[int, Progress]:
        with self._connection.cursor(row_factory=class_row(Progress)) as cursor:
            found = cursor.execute(SELECT_OFFSETS + " where topic = %s", (self._table.topic.name,)).fetchall()
        return {each.partition: each for each in found}

    def put(self, rows: Rows) -> int:
        try:
            with self._connection.transaction():
                return self._copy(rows, self._table.name)
        except psycopg.errors.UniqueViolation:
            return self._put_new(rows)
        except psycopg.Error as cause:
            raise _refusal_or(cause) from cause

    def keep(self, progress: Iterable[Progress]) -> None:
        rows = [tuple(getattr(each, name) for name in OFFSET_COLUMNS) for each in progress]
        with self._connection.cursor() as cursor:
            cursor.executemany(UPSERT_OFFSET, rows)

    def _put_new(self, rows: Rows) -> int:
        """A second unique violation is of a rule that is not ours."""
        try:
            with self._connection.transaction():
                self._connection.execute(_composed("create temporary table {} (like {})", STAGING, self._table.name))
                self._copy(rows, STAGING)
                new = self._connection.execute(insert_statement(self._table)).rowcount
                self._connection.execute(_composed("drop table pg_temp.{}", STAGING))
                return new
        except psycopg.Error as cause:
            raise _refusal_or(cause) from cause

    def _copy(self, rows: Rows, into: str) -> int:
        text = CopyText(rows, self._table.columns)
        with self._connection.cursor() as cursor:
            with cursor.copy(_composed("copy {} ({}) from stdin", into, self._table.names)) as copy:
                while block := text.read(READ_BYTES):
                    copy.write(block)
            return cursor.rowcount


CREATE_OFFSETS = f"""
create table if not exists {OFFSETS} (
    topic text, partition bigint, next_offset bigint not null, loaded_at_ns bigint not null,
    events bigint not null, dead bigint not null, gone bigint not null, primary key (topic, partition))"""
SELECT_OFFSETS = f"select {', '.join(OFFSET_COLUMNS)} from {OFFSETS}"
UPSERT_OFFSET = f"""
insert into {OFFSETS} values (%s, %s, %s, %s, %s, %s, %s) on conflict (topic, partition) do update set
{", ".join(f"{name} = excluded.{name}" for name in OFFSET_COLUMNS[2:])}"""
SELECT_COLUMNS = """
select attname, format_type(atttypid, atttypmod), attnotnull and not atthasdef and attidentity = ''
from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped"""
SELECT_KEY = """
select attname from pg_index cross join unnest(indkey) with ordinality as key (number, place)
join pg_attribute on attrelid = indrelid and attnum = key.number
where indrelid = to_regclass(%s) and indisprimary order by key.place"""


def shown(url: str) -> str:
    """Where it is, without who asks and by which password; raises BadDatabaseUrl."""
    if not URL.fullmatch(url):
        raise BadDatabaseUrl
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        raise BadDatabaseUrl from None
    return f"postgresql://{parts['host']}:{parts.get('port', 5432)}/{parts['dbname']}"


def create_statement(table: EventTable) -> sql.Composed:
    columns = [
        sql.SQL("{} {} not null" if column.name in REQUIRED else "{} {}").format(
            sql.Identifier(column.name), sql.SQL(KINDS[column.kind])
        )
        for column in table.columns
    ]
    return _composed(
        "create table if not exists {} ({}, primary key ({}))", table.name, sql.SQL(", ").join(columns), KEY
    )


def insert_statement(table: EventTable) -> sql.Composed:
    """Of a key that comes twice the first one stands."""
    statement = "insert into {} ({}) select {} from pg_temp.{} on conflict ({}) do nothing"
    return _composed(statement, table.name, table.names, table.names, STAGING, KEY)


def _composed(statement: str, *parts: str | tuple[str, ...] | sql.Composable) -> sql.Composed:
    """Names are quoted."""
    quoted = []
    for part in parts:
        if isinstance(part, sql.Composable):
            quoted.append(part)
        else:
            names = (part,) if isinstance(part, str) else part
            quoted.append(sql.SQL(", ").join(map(sql.Identifier, names)))
    return sql.SQL(statement).format(*quoted)  # type: ignore[arg-type]


def _refusal_or(cause: psycopg.Error) -> Exception:
    """RowsRefused where the rows are to blame, else the cause."""
    return RowsRefused(_reason(cause)) if (cause.sqlstate or "").startswith(REFUSALS) else cause


def _reason(cause: psycopg.Error) -> str:
    said = (cause.diag.message_primary or str(cause), cause.diag.message_detail)
    return ": ".join(filter(None, said))[:REASON_LENGTH_MAX]
