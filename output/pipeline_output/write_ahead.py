"""SQLite's write-ahead log, which lets several processes read while one writes."""

from __future__ import annotations

import sqlite3
import time

BUSY_S = 10.0
BUSY_RETRY_S = 0.01


def keep_log_ahead(file: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite does not wait for others who switch a new file at the same time, so this does."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            file.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as cause:
            if cause.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_RETRY_S)
        else:
            return
