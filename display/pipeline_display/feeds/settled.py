"""Tables that settle, as a feed: what a job computed stands until the job is run again.

In:   a store's tables, some thousand rows together, looked at every `POLL_S`.
Out:  frames {"table": name, "rows": rows}: all rows at first, then those that changed; a page replaces a row by its key.
      For the thumbnail the rows of the first table that are of its newest time, all of them each time that anything changed.
A table that was never there is waited for, as the job lays it out; one that was there is away.

A look is cheap: of each table it asks for the first row only. A run writes every row anew, with the time in
`written_ns`, so when that row is another one the table is read whole, and again at each look until a reading brings
nothing new, as the run may be writing still. Once in `WHOLE_EVERY_S` all tables are read whole, whatever their first
rows say: a run may have failed half way.

Such rows never grow old, so the ring has to keep them all. Rows that are sent again make it longer; when they would be
as many as there are rows, the batch is whole: every row once more, and the ring forgets the frames before it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from pipeline_output.errors import OutputError, TableMissing
from pipeline_output.stores import Store, open_store
from pipeline_output.tables import Table

from pipeline_display.feeds.feed import Batch

POLL_S = 2.0
WHOLE_EVERY_S = 60.0
ROWS_PER_FRAME_MAX = 250

Row = Mapping[str, Any]
Rows = dict[tuple[Any, ...], Row]


class SettledReader:
    """See the module; one thread uses it. `sleep` ends early when the service stops."""

    away = (OutputError,)

    def __init__(self, url: str, tables: Sequence[Table], *, sleep: Callable[[float], Any] = time.sleep) -> None:
        self._url = url
        self._tables = tables
        self._sleep = sleep
        self._pause_s = 0.0
        self._store: Store | None = None
        self._known: dict[str, Rows] = {table.name: {} for table in tables}
        self._unsettled = {table.name for table in tables}
        self._whole_due_s = 0.0
        self._sent = 0

    def look(self) -> Batch:
        self._sleep(self._pause_s)
        readings = [(table, self._read(table)) for table in self._due()]
        self._pause_s = POLL_S
        changed = {table: self._changed(table, rows) for table, rows in readings}
        return self._batch({table: rows for table, rows in changed.items() if rows})

    def let_go(self) -> None:
        self._pause_s = self._whole_due_s = 0.0
        if self._store is not None:
            self._store.close()
            self._store = None

    def _due(self) -> list[Table]:
        """The tables that must be read whole now."""
        if time.monotonic() >= self._whole_due_s:
            self._whole_due_s = time.monotonic() + WHOLE_EVERY_S
            return list(self._tables)
        return [table for table in self._tables if table.name in self._unsettled or self._has_other_first_row(table)]

    def _has_other_first_row(self, table: Table) -> bool:
        return any(self._is_new(table, row) for row in self._read(table, limit=1))

    def _read(self, table: Table, **limit: int) -> list[Row]:
        if self._store is None:
            self._store = open_store(self._url)
        try:
            return self._store.read(table, **limit).to_pylist()
        except TableMissing:
            if self._known[table.name]:
                raise
            return []

    def _changed(self, table: Table, rows: list[Row]) -> list[Row]:
        """The rows that are not known as they are; from now on they are."""
        changed = [row for row in rows if self._is_new(table, row)]
        self._known[table.name].update((_key(table, row), row) for row in changed)
        (self._unsettled.add if changed else self._unsettled.discard)(table.name)
        return changed

    def _is_new(self, table: Table, row: Row) -> bool:
        return self._known[table.name].get(_key(table, row)) != row

    def _batch(self, changed: Mapping[Table, list[Row]]) -> Batch:
        count = sum(map(len, changed.values()))
        self._sent += count
        thumbnail = list(_frames(self._newest())) if count else []
        if not count or self._sent < sum(map(len, self._known.values())):
            return Batch(bodies=list(_frames(changed)), thumbnail=thumbnail, events=count)
        self._sent = 0
        everything = {table: list(self._known[table.name].values()) for table in self._tables}
        return Batch(bodies=list(_frames(everything)), thumbnail=thumbnail, events=count, is_whole=True)

    def _newest(self) -> dict[Table, list[Row]]:
        first, *_ = self._tables
        rows = list(self._known[first.name].values())
        newest_ns = max((row[first.time] for row in rows), default=0)
        return {first: [row for row in rows if row[first.time] == newest_ns]}


def _key(table: Table, row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in table.key)


def _frames(rows_of: Mapping[Table, list[Row]]) -> Iterator[bytes]:
    """The rows in frames of one table each and of a bounded number."""
    for table, rows in rows_of.items():
        for start in range(0, len(rows), ROWS_PER_FRAME_MAX):
            yield msgspec.json.encode({"table": table.name, "rows": rows[start : start + ROWS_PER_FRAME_MAX]})
