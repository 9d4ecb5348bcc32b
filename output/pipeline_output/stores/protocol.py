"""What every store does, whichever engine carries it.

A row is known by its table's key, and each write carries a version. Of two rows with one key the one with the greater
version stands, whatever the order in which they were written; so a batch may be repeated, split and reordered, and
a writer that was replaced long ago cannot harm. One key at one version has one value: a repeat brings the same row
(where only `written_ns` differs, either may stand). A store object belongs to one thread; open one for each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol, TypeAlias

import pyarrow as pa

from pipeline_output.tables import Table

Durability: TypeAlias = Literal["process", "disk"]
"""Written survives the kill of every process, or power loss too."""

INT64_MIN = -(2**63)
ROWS_MAX = 100_000
"""What one read returns unless told otherwise: a day of windows of one second."""


class Store(Protocol):
    url: str

    def create(self, tables: Iterable[Table]) -> None:
        """Make the tables that are not there yet; raises TableDiffers for one made from another declaration."""

    def write(self, table: Table, rows: pa.Table, version: int) -> None:
        """Return when every row is durable, else raise; idempotent by key, and an older version never wins.

        Raises BadRows before anything is written, TableMissing, and StoreUnavailable when it cannot tell:
        then some rows may be there, and the same call may be made again.
        """

    def read(self, table: Table, since_ns: int = INT64_MIN, limit: int = ROWS_MAX) -> pa.Table:
        """The rows at or after `since_ns`, in the table's schema, sorted by time; at most the first `limit`.

        Never two versions of a key. It is cheap to ask for the last minutes several times a second: a caller that
        wants to know what changed compares `written_ns`.
        """

    def expire(self, tables: Iterable[Table], now_ns: int) -> None:
        """Forget rows that are older than their table's `ttl_s`, give or take a bucket; younger ones stay, and all of
        a table without one."""

    def close(self) -> None:
        """Let go of connections and files."""
