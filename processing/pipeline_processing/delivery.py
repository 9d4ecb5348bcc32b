"""A batch's rows on their way into several stores, of which any may be away.

In:   rows of one table with their version, and the outlets: a store each, with its spool.
Out:  the rows durable in each store or in its spool when `deliver` returns. So what Spark commits is nowhere lost, and a
      store that is away holds up no other.
A store that has not answered after PATIENCE_S counts as away. Its write goes on in its thread, which does no harm: the version
decides. What is in a spool the driver hands on (see `forwarding`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
from pipeline_output.errors import OutputError
from pipeline_output.stores import Durability, Store, open_store
from pipeline_output.tables import Table

from pipeline_processing.spool import Spool, store_name

PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A store, and where rows wait for it. Plain values only: tasks carry it."""

    store_url: str
    durability: Durability
    spool: Spool


def outlets(store_urls: Sequence[str], durability: Durability, waiting: Path) -> tuple[Outlet, ...]:
    """Of one query, whose rows wait in a folder for each store."""
    return tuple(
        Outlet(store_url=url, durability=durability, spool=Spool(folder=waiting / store_name(url)))
        for url in store_urls
    )


def deliver(table: Table, rows: pa.Table, version: int, outlets: Sequence[Outlet]) -> int:
    """How many of the stores have the rows now; all are asked at the same time. Raises OSError when a spool takes none."""
    asked = [(outlet, _asked(outlet, table, rows, version)) for outlet in outlets]
    deadline, reached = time.monotonic() + PATIENCE_S, 0
    for outlet, answer in asked:
        if answer is not None and _is_yes(answer, deadline):
            reached += 1
        else:
            outlet.spool.add(rows, version)
    return reached


def _asked(outlet: Outlet, table: Table, rows: pa.Table, version: int) -> Future[None] | None:
    if outlet.spool.in_use:
        return None
    return _writer(outlet.store_url, outlet.durability, table).write(rows, version)


def _is_yes(answer: Future[None], deadline: float) -> bool:
    try:
        answer.result(max(0.0, deadline - time.monotonic()))
    except (OutputError, TimeoutError):
        return False
    return True


class _Writer:
    """A thread with a store of its own, because a store object belongs to one thread."""

    def __init__(self, store_url: str, durability: Durability, table: Table) -> None:
        self._store_url, self._durability, self._table = store_url, durability, table
        self._store: Store | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=table.name)

    def write(self, rows: pa.Table, version: int) -> Future[None]:
        return self._thread.submit(self._write, rows, version)

    def _write(self, rows: pa.Table, version: int) -> None:
        if self._store is None:
            store = open_store(self._store_url, durability=self._durability)
            store.create([self._table])  # a worker may be the first to write there
            self._store = store
        self._store.write(self._table, rows, version)


@cache
def _writer(store_url: str, durability: Durability, table: Table) -> _Writer:
    """One per process and table, as `broker_of`."""
    return _Writer(store_url, durability, table)
