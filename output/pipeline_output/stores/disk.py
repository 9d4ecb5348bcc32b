"""Tables as folders of Parquet files, one file for each time bucket.

In:      versioned rows. A write reads the files of its buckets, merges by key, writes each beside and renames it over.
Out:     files that DuckDB, pandas and Spark read as they lie: `select * from 'FOLDER/random_numbers_windows/*.parquet'`
         Every file is whole at any instant and holds a key once; the column `version` names the write of each row.
         There are never small files to compact, for a write adds to its bucket's one file: 24 a day, if a bucket is an
         hour. Merging files of several names cannot be done in one step, so readers would see doubles or gaps.
Refuses: (StoreUnavailable) a folder that cannot be written, or that another writer holds for `LOCKED_S`.

One writer at a time holds a table's lock, across processes and containers that share the folder; the kernel frees it
when its holder dies. Readers take no lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_output.errors import StoreUnavailable, TableDiffers, TableMissing
from pipeline_output.stores.bucket_file import encoded, rows_of, tightened
from pipeline_output.stores.protocol import INT64_MIN, ROWS_MAX, Durability
from pipeline_output.stores.rows import by_bucket, checked, newest, versioned
from pipeline_output.tables import NS_PER_S, Table, arrow_schema

LOCKED_S = 10.0
LOCK_RETRY_S = 0.001
AT_REST_S = 60
"""A file that nobody wrote for so long gives back the room of its former versions."""
DECLARATION = ".table.json"
LOCK = ".lock"
BESIDE = ".beside"
"""Where the lock's holder writes before it renames. Names with a dot in front are no reader's business."""
NAME = "%Y-%m-%dT%H-%M-%SZ"
"""A file's name is its bucket's begin, so names sort as their rows do."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketFile:
    """The file of a bucket as it lies there now; what was read from it holds while this is equal."""

    path: Path
    inode: int
    modified_ns: int
    size_bytes: int


class DiskStore:
    """See `Store`."""

    def __init__(self, folder: Path, *, durability: Durability = "process") -> None:
        self.url = f"disk://{folder}"
        self._folder = folder
        self._syncs = durability == "disk"

    def create(self, tables: Iterable[Table]) -> None:
        for table in tables:
            declared = {"columns": [*table.names], "bucket_s": table.bucket_s}
            with self._available(f"creating `{table.name}`"):
                folder = self._folder / table.name
                folder.mkdir(parents=True, exist_ok=True)
                with self._locked(folder):
                    found = self._declare(folder / DECLARATION, declared)
            if found != declared:
                raise TableDiffers(table.name, url=self.url, found=found, declared=declared)

    def write(self, table: Table, rows: pa.Table, version: int) -> None:
        arriving = versioned(checked(table, rows, version), version)
        with self._available(f"writing `{table.name}`"), self._locked(self._existing(table)) as folder:
            for bucket, part in by_bucket(table, arriving):
                self._merge(table, folder / file_name(table, bucket), part)

    def read(self, table: Table, since_ns: int = INT64_MIN, limit: int = ROWS_MAX) -> pa.Table:
        parts, missing = [], limit
        with self._available(f"reading `{table.name}`"):
            for path in sorted(self._existing(table).glob("*.parquet")):
                if bucket_end_ns(table, path) > since_ns and missing > 0 and (rows := _rows_at(path)) is not None:
                    parts.append(_since(table, rows, since_ns).slice(0, missing))
                    missing -= len(parts[-1])
        schema = arrow_schema(table)
        return pa.concat_tables([schema.empty_table(), *(part.select(schema.names).cast(schema) for part in parts)])

    def expire(self, tables: Iterable[Table], now_ns: int) -> None:
        for table in tables:
            with self._available(f"expiring `{table.name}`"), self._locked(self._existing(table)) as folder:
                for path in folder.glob("*.parquet"):
                    if table.ttl_s is not None and bucket_end_ns(table, path) <= now_ns - table.ttl_s * NS_PER_S:
                        path.unlink()
                    elif path.stat().st_mtime_ns < now_ns - AT_REST_S * NS_PER_S:
                        self._tighten(table, path)

    def close(self) -> None:
        """Nothing is held between calls."""

    def _existing(self, table: Table) -> Path:
        folder = self._folder / table.name
        if not (folder / DECLARATION).exists():
            raise TableMissing(table.name, url=self.url)
        return folder

    def _declare(self, path: Path, declared: dict[str, object]) -> object:
        """What the table was created with: `declared`, if this is the first time."""
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))
        self._replace(path, json.dumps(declared).encode())
        return declared

    def _merge(self, table: Table, path: Path, arriving: pa.Table) -> None:
        kept = _rows_at(path)
        merged = arriving if kept is None else newest(table, kept, arriving)
        if kept is None or not merged.equals(kept):
            self._replace(path, encoded(table, merged, path.read_bytes() if kept is not None else None))

    def _tighten(self, table: Table, path: Path) -> None:
        tight = tightened(table, path.read_bytes())
        if tight is not None:
            self._replace(path, tight)

    def _replace(self, path: Path, content: bytes | pa.Buffer) -> None:
        """Put `content` at `path` in one step, with a modification time that no earlier file there had."""
        beside = path.with_name(BESIDE)
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            if self._syncs:
                os.fsync(file.fileno())
        last_ns = path.stat().st_mtime_ns if path.exists() else 0
        modified_ns = max(time.time_ns(), last_ns + 1)
        os.utime(beside, ns=(modified_ns, modified_ns))
        beside.replace(path)
        if self._syncs:
            _sync_folder(path.parent)

    @contextmanager
    def _locked(self, folder: Path) -> Iterator[Path]:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o664)
        try:
            _lock(handle)
            yield folder
        finally:
            os.close(handle)

    @contextmanager
    def _available(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as cause:
            raise StoreUnavailable(self.url, doing=doing, cause=cause) from cause


def file_name(table: Table, bucket: int) -> str:
    return (EPOCH + timedelta(seconds=bucket * table.bucket_s)).strftime(f"{NAME}.parquet")


def bucket_end_ns(table: Table, path: Path) -> int:
    begin = datetime.strptime(path.stem, NAME).replace(tzinfo=UTC)
    return ((begin - EPOCH) // timedelta(seconds=1) + table.bucket_s) * NS_PER_S


def _rows_at(path: Path) -> pa.Table | None:
    """A bucket's rows; None if it has no file, or none any more."""
    try:
        found = path.stat()
        return _rows(BucketFile(path=path, inode=found.st_ino, modified_ns=found.st_mtime_ns, size_bytes=found.st_size))
    except FileNotFoundError:
        return None


@lru_cache(maxsize=16)
def _rows(file: BucketFile) -> pa.Table:
    """Read whole through one handle, so that a file renamed over this one does not matter."""
    return rows_of(file.path.read_bytes())


def _since(table: Table, rows: pa.Table, since_ns: int) -> pa.Table:
    return rows.filter(pc.greater_equal(rows[table.time], since_ns))


def _lock(handle: int) -> None:
    deadline = time.monotonic() + LOCKED_S
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"another writer holds it for more than {LOCKED_S:g} s") from None
            time.sleep(LOCK_RETRY_S)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
