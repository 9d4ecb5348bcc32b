"""What only the disk store promises: its files are open to everyone, at any instant, and there are few of them."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas
import pyarrow as pa
import pytest
from pipeline_output.errors import StoreUnavailable
from pipeline_output.stores import create_all, disk, open_store
from pipeline_output.tables import NS_PER_S, Table, arrow_schema
from pipeline_queue.topics import Column

TICKS = Table(
    name="ticks",
    doc="A second each",
    topic="ticks",
    columns=(
        Column(name="time_ns", kind="int64", doc="when"),
        Column(name="writes", kind="int64", doc="the write that it is from"),
        Column(name="note", kind="string", doc="words"),
    ),
    key=("time_ns",),
    time="time_ns",
    bucket_s=60,
)

CHILD = """
import pickle, sys
import pyarrow as pa
from pipeline_output.stores import open_store

url, table, schema = pickle.load(sys.stdin.buffer)
store = open_store(url)
version = 0
for _ in sys.stdin.buffer:
    version += 1
    seconds = range(60 * 3 + version % 60)
    rows = [{"time_ns": s * 10**9, "writes": version, "note": f"{s * version}"} for s in seconds]
    store.write(table, pa.Table.from_pylist(rows, schema=schema), version)
    print(version, flush=True)
"""
READS = 60
WRITES_PER_READ = 2
"""A reader's two handles may be two writes apart, so no more are made while one reads, however long it takes."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    create_all([f"disk://{tmp_path}"], [TICKS])
    return f"disk://{tmp_path}"


class Writer:
    """Another process that writes into a folder when it is told to, each time all rows of four buckets."""

    def __init__(self, url: str) -> None:
        self._child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._told, self._says = self._child.stdin, self._child.stdout
        self._told.write(pickle.dumps((url, TICKS, arrow_schema(TICKS))))

    @contextmanager
    def writing(self, writes: int) -> Iterator[None]:
        """So many writes are made while the block runs, or right after."""
        self._told.write(b"\n" * writes)
        self._told.flush()
        yield
        for _ in range(writes):
            self._says.readline()

    def end(self) -> None:
        with self._told, self._says:
            self._child.kill()
            self._child.wait()


@pytest.fixture
def writer(url: str) -> Iterator[Writer]:
    made = Writer(url)
    yield made
    made.end()


def ticks(seconds: range, version: int) -> pa.Table:
    rows = [{"time_ns": second * NS_PER_S, "writes": version, "note": "tick"} for second in seconds]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TICKS))


def read_by_duckdb(folder: Path) -> pandas.DataFrame:
    return duckdb.sql(f"select * from '{folder}/**/*.parquet'").df()


def read_by_pandas(folder: Path) -> pandas.DataFrame:
    return pandas.read_parquet(folder / TICKS.name)


def read_by_the_store(folder: Path) -> pandas.DataFrame:
    return open_store(f"disk://{folder}").read(TICKS).to_pandas()


@pytest.mark.parametrize("read", [read_by_duckdb, read_by_pandas, read_by_the_store])
def test_a_reader_meets_whole_buckets_and_every_key_once_at_any_instant(
    writer: Writer, tmp_path: Path, read: Callable[[Path], pandas.DataFrame]
) -> None:
    chance = random.Random(7)
    with writer.writing(1):
        pass
    for done in range(1, 1 + READS * WRITES_PER_READ, WRITES_PER_READ):
        with writer.writing(WRITES_PER_READ):
            time.sleep(0.02 * chance.random())
            found = read(tmp_path)
        bucket = found.time_ns // TICKS.bucket_ns
        assert found.time_ns.is_unique
        assert set(found.time_ns) >= {second * NS_PER_S for second in range(180)}
        assert found[bucket < 3].groupby(bucket).writes.nunique().tolist() == [1, 1, 1]
        assert done <= found.writes[found.time_ns == 0].item() <= done + WRITES_PER_READ


def test_a_bucket_is_one_file_however_many_batches_it_came_in(url: str, tmp_path: Path) -> None:
    store = open_store(url)
    for second in range(200):
        store.write(TICKS, ticks(range(second, second + 1), 1), second)
    names = sorted(path.name for path in (tmp_path / TICKS.name).glob("*.parquet"))
    assert names == [f"1970-01-01T00-0{minute}-00Z.parquet" for minute in range(4)]


def test_a_file_at_rest_gives_back_the_room_of_its_former_versions(url: str, tmp_path: Path) -> None:
    now_s = time.time_ns() // NS_PER_S
    this_minute = range(now_s // 60 * 60, now_s // 60 * 60 + 60)
    store, once = open_store(url), open_store(f"{url}/once")
    once.create([TICKS])
    once.write(TICKS, ticks(this_minute, 19), 19)
    for version in range(20):
        store.write(TICKS, ticks(this_minute, version), version)
    for later in range(1, 4):
        store.expire([TICKS], (now_s + later * (disk.AT_REST_S + 60)) * NS_PER_S)
    assert store.read(TICKS) == ticks(this_minute, 19)
    assert sizes(tmp_path / TICKS.name) == sizes(tmp_path / "once" / TICKS.name)


def sizes(folder: Path) -> list[int]:
    return [path.stat().st_size for path in folder.glob("*.parquet")]


def test_a_writer_that_is_kept_out_for_too_long_says_so(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "LOCKED_S", 0.05)
    store = disk.DiskStore(tmp_path)
    with store._locked(tmp_path / TICKS.name), pytest.raises(StoreUnavailable, match="another writer"):
        open_store(url).write(TICKS, ticks(range(3), 1), 1)


def test_what_a_killed_writer_left_beside_is_no_reader_s_business(url: str, tmp_path: Path) -> None:
    open_store(url).write(TICKS, ticks(range(3), 1), 1)
    (tmp_path / TICKS.name / disk.BESIDE).write_bytes(b"half a file")
    counts = [len(read(tmp_path)) for read in (read_by_duckdb, read_by_pandas, read_by_the_store)]
    assert counts == [3, 3, 3]


def test_the_folder_durability_waits_for_the_disk(tmp_path: Path) -> None:
    store = open_store(f"disk://{tmp_path}", durability="disk")
    store.create([TICKS])
    store.write(TICKS, ticks(range(100), 1), 1)
    assert store.read(TICKS) == ticks(range(100), 1)
