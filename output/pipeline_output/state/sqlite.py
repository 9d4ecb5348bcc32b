"""SQLite beneath the state store: one file, which several processes may open (WAL).

Refuses: (StoreUnavailable) a file that cannot be opened, is full, or stays locked for `BUSY_S`.
A definition is acknowledged once it survives a loss of power: there are few of them, and nobody can make them again.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline_output.errors import StoreUnavailable
from pipeline_output.state.engine import KeyTaken, Row, Transaction
from pipeline_output.write_ahead import BUSY_S, keep_log_ahead


class SqliteEngine:
    """See `Engine`."""

    def __init__(self, path: Path) -> None:
        self.url, self._lock = f"sqlite://{path}", threading.Lock()
        with self._available("opening it"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            keep_log_ahead(self._file)
            self._file.execute("pragma synchronous = full")

    def prepare(self, statements: Iterable[str]) -> None:
        with self.transaction("preparing its tables") as run:
            for statement in statements:
                run(statement)

    @contextmanager
    def transaction(self, doing: str) -> Iterator[Transaction]:
        with self._lock, self._available(doing):
            self._file.execute("begin immediate")
            try:
                yield self._run
                self._file.execute("commit")
            finally:
                if self._file.in_transaction:
                    self._file.execute("rollback")

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _run(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        try:
            return self._file.execute(statement, parameters).fetchall()
        except sqlite3.IntegrityError as cause:
            raise KeyTaken from cause

    @contextmanager
    def _available(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as cause:
            raise StoreUnavailable(self.url, doing=doing, cause=cause) from cause
