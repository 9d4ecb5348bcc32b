"""A table of windows as a feed: each row when it is new and again whenever it changes.

In:   a store's table, whatever its key and its figures, asked a few times a second.
Out:  frames {"rows": rows}; a page replaces a row by its key. For thumbnails the same, each changed row once a second.
A table that was never there is waited for, as processing lays it out when it starts; one that was there is away.
Most looks ask for the newest windows only; now and then one asks for the whole recent past, because a late event or a
replay may change an old window.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from pipeline_output.errors import OutputError, TableMissing
from pipeline_output.stores import Store, open_store
from pipeline_output.tables import Table

from pipeline_display.feeds.feed import Batch
from pipeline_display.feeds.thinned import Thinned

POLL_S = 0.2
RECENT_S = 20
"""An event on time is at most 10 s old, its window began 5 s before it at most, and a micro-batch takes its time."""
WHOLE_EVERY_S = 5.0
ROWS_PER_FRAME_MAX = 100
NS = 1_000_000_000

Row = Mapping[str, Any]


class WindowReader:
    """See the module; one thread uses it. `sleep` ends early when the service stops."""

    away = (OutputError,)

    def __init__(self, url: str, table: Table, *, history_s: float, sleep: Callable[[float], Any] = time.sleep) -> None:
        self._url = url
        self._table = table
        self._history_ns = round(history_s * NS)
        self._sleep = sleep
        self._store: Store | None = None
        self._known: dict[tuple[Any, ...], Row] = {}
        self._whole_due_s = 0.0
        self._thinned: Thinned[Row] = Thinned()

    def look(self) -> Batch:
        self._sleep(POLL_S)
        rows = self._changed(self._read())
        few = self._thinned.take((self._key(row), row) for row in rows)
        return Batch(bodies=frames(rows), thumbnail=frames(few), events=len(rows), age_s=self._age_s(rows))

    def let_go(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _read(self) -> list[Row]:
        if self._store is None:
            self._store = open_store(self._url)
        try:
            return self._store.read(self._table, self._since_ns()).to_pylist()
        except TableMissing:
            if self._known:
                raise
            return []

    def _since_ns(self) -> int:
        oldest_ns = time.time_ns() - self._history_ns
        if self._known and time.monotonic() < self._whole_due_s:
            newest_ns = max(row[self._table.time] for row in self._known.values())
            newest_ns = min(newest_ns, time.time_ns())  # one producer's clock may be a minute ahead
            return max(oldest_ns, newest_ns - RECENT_S * NS)
        self._whole_due_s = time.monotonic() + WHOLE_EVERY_S
        return oldest_ns

    def _changed(self, rows: list[Row]) -> list[Row]:
        """The rows that are not known as they are; known ones older than the recent past are forgotten."""
        changed = [row for row in rows if self._known.get(self._key(row)) != row]
        self._known.update((self._key(row), row) for row in changed)
        oldest_ns = time.time_ns() - 2 * self._history_ns
        for key in [key for key, row in self._known.items() if row[self._table.time] < oldest_ns]:
            del self._known[key]
        return changed

    def _key(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in self._table.key)

    def _age_s(self, rows: list[Row]) -> float | None:
        newest_ns = max((row.get("newest_event_ns") or 0 for row in rows), default=0)
        return (time.time_ns() - newest_ns) / 1e9 if newest_ns else None


def frames(rows: list[Row]) -> list[bytes]:
    """The rows in frames of a bounded number, in order of time."""
    return [
        msgspec.json.encode({"rows": rows[start : start + ROWS_PER_FRAME_MAX]})
        for start in range(0, len(rows), ROWS_PER_FRAME_MAX)
    ]
