"""Rows that wait for a store which is away: a folder with a file for each batch.

In:   rows of one table with their version, from Spark's tasks.
Out:  the same, for the driver. Rows that were added survive the kill of any process, and power loss.
A spool is in use from the first rows that a store did not take until the driver has seen it empty: meanwhile everything goes
in here, so that no task waits for a store of which it is known that it does not answer. Versions decide between rows of
one key, hence it does not matter if rows arrive twice, or newer ones first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa

from pipeline_processing.files import write_whole

IN_USE = "in-use"
SUFFIX = ".arrow"


def store_name(url: str) -> str:
    """Among folders: short, and another for another store."""
    return f"{urlsplit(url).scheme}-{hashlib.sha256(url.encode()).hexdigest()[:6]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """Of one query and one store, in a folder that the driver and all workers share."""

    folder: Path

    @property
    def in_use(self) -> bool:
        return (self.folder / IN_USE).exists()

    def add(self, rows: pa.Table, version: int) -> None:
        """Raises OSError; rows of a version that waits already take its place."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, rows.schema) as file:
            file.write_table(rows)
        write_whole(self._path(version), sink.getvalue().to_pybytes())
        if not self.in_use:
            write_whole(self.folder / IN_USE, b"")

    def versions(self) -> list[int]:
        """Those that wait, oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob(f"*{SUFFIX}"))

    def rows(self, version: int) -> pa.Table:
        return pa.ipc.open_file(self._path(version).read_bytes()).read_all()

    def remove(self, version: int) -> None:
        self._path(version).unlink(missing_ok=True)

    def close(self) -> None:
        """The store is asked again; rows that were added at this very moment wait until the driver looks next."""
        (self.folder / IN_USE).unlink(missing_ok=True)

    def _path(self, version: int) -> Path:
        return self.folder / f"{version}{SUFFIX}"
