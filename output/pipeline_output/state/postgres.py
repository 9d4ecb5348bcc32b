"""PostgreSQL beneath the state store.

Refuses: (StoreUnavailable) a server that does not answer; the next transaction connects anew. (BadStateUrl) a URL that libpq would
         read otherwise than we.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from pipeline_output.errors import BadDatabaseUrl, BadStateUrl, StoreUnavailable
from pipeline_output.loader.postgres import CONNECTION, shown
from pipeline_output.state.engine import KeyTaken, Row, Transaction

OPTIONS = CONNECTION | {"application_name": "pipeline-tasks"}
LOCK = 0x7461736B
"""Our advisory lock's key: `task`."""


class PostgresEngine:
    """See `Engine`."""

    def __init__(self, url: str) -> None:
        try:
            self.url = shown(url)
        except BadDatabaseUrl:
            raise BadStateUrl from None
        self._to, self._lock = url, threading.Lock()
        with self._available("connecting"):
            self._connection = self._connected()

    def prepare(self, statements: Iterable[str]) -> None:
        """`create if not exists` is refused to one of two who run it at the same time, so they take turns."""
        with self.transaction("preparing its tables") as run:
            run("select pg_advisory_xact_lock(?)", (LOCK,))
            for statement in statements:
                run(statement)

    @contextmanager
    def transaction(self, doing: str) -> Iterator[Transaction]:
        with self._lock, self._available(doing):
            if self._connection.closed:
                self._connection = self._connected()
            with self._connection.transaction():
                yield self._run

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _connected(self) -> psycopg.Connection[Row]:
        return psycopg.connect(self._to, autocommit=True, **OPTIONS)

    def _run(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        try:
            cursor = self._connection.execute(statement.replace("?", "%s"), parameters)  # type: ignore[arg-type]
        except psycopg.errors.UniqueViolation as cause:
            raise KeyTaken from cause
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _available(self, doing: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as cause:
            raise StoreUnavailable(self.url, doing=doing, cause=str(cause).strip()) from cause
