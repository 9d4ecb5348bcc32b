"""What only the SQLite store promises: a reader sees all of a batch or nothing of it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pipeline_output.errors import StoreUnavailable
from pipeline_output.stores import create_all, open_store, sqlite
from pipeline_output.tables import Table, arrow_schema
from pipeline_queue.topics import Column
from waiting import PATIENCE_S

PAIRS = Table(
    name="pairs",
    doc="Rows that change together",
    topic="pairs",
    columns=(Column(name="time_ns", kind="int64", doc="when"), Column(name="writes", kind="int64", doc="the write")),
    key=("time_ns",),
    time="time_ns",
)
CHILD = """
import pickle, sys
import pyarrow as pa
from pipeline_output.stores import open_store

url, table, schema = pickle.load(sys.stdin.buffer)
store = open_store(url)
for version in range(1, 1_000_000):
    store.write(table, pa.table({"time_ns": range(1000), "writes": [version] * 1000}, schema=schema), version)
    if version == 1:
        print("began", flush=True)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    create_all([f"sqlite://{tmp_path}/file"], [PAIRS])
    return f"sqlite://{tmp_path}/file"


def test_a_reader_sees_all_of_a_batch_or_nothing(url: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin as stdin, child.stdout as stdout:
        stdin.write(pickle.dumps((url, PAIRS, arrow_schema(PAIRS))))
        stdin.close()
        stdout.readline()
        store, seen = open_store(url), list[set[int]]()
        deadline = time.monotonic() + PATIENCE_S
        while len(set().union(*seen)) <= 20 and time.monotonic() < deadline:
            seen.append(set(store.read(PAIRS)["writes"].to_pylist()))
        child.kill()
        child.wait()
    assert {len(writes) for writes in seen} == {1}
    assert len(set().union(*seen)) > 20


def test_a_new_file_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as threads:
        for number in range(100):
            list(threads.map(create_all, [[f"sqlite://{tmp_path}/{number}"]] * 6))


def test_a_file_that_stays_locked_is_unavailable(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    holder, kept_out = open_store(url), open_store(url)
    assert isinstance(holder, sqlite.SqliteStore)
    with holder._transaction(), pytest.raises(StoreUnavailable, match="locked"):
        kept_out.write(PAIRS, arrow_schema(PAIRS).empty_table(), 1)


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("these are words, and by no means a database " * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        open_store(f"sqlite://{tmp_path}/file")
