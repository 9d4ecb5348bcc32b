"""What only the Cassandra store promises: it survives its server's absences, and its rows leave by themselves.

A small proxy stands between the driver and the server, so that a test can let the server hang or be gone.
"""

from __future__ import annotations

import itertools
import os
import pickle
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from pipeline_output.errors import StoreUnavailable
from pipeline_output.stores import Store, create_all, open_store
from pipeline_output.stores.cassandra_connection import connection
from pipeline_output.stores.cassandra_url import parse_address
from pipeline_output.tables import NS_PER_S, Table, arrow_schema
from pipeline_queue.topics import Column
from waiting import PATIENCE_S, Stopwatch, until

pytestmark = pytest.mark.engine

STEPS = Table(
    name="steps",
    doc="A number each second",
    topic="steps",
    columns=(Column(name="time_ns", kind="int64", doc="when"), Column(name="count", kind="int64", doc="how many")),
    key=("time_ns",),
    time="time_ns",
    bucket_s=60,
)
NUMBERS = itertools.count()
TIMEOUT_S = 2.0

CHILD = """
{before}
import pickle, sys
from pipeline_output.stores import open_store

url, table, rows = pickle.load(sys.stdin.buffer)
store = open_store(url)
store.write(table, rows, 1)
assert store.read(table) == rows
{after}
"""
PATCHED = "import eventlet; eventlet.monkey_patch()"
OTHERS_GO_ON = """
turns = 0
def count():
    global turns
    while True:
        turns += 1
        eventlet.sleep(0)
eventlet.spawn(count)
for _ in range(20):
    before = turns
    store.read(table)
    assert turns > before, "a read held every other green thread"
"""


class Proxy:
    """Passes bytes between clients and one server; it can hang, or refuse everyone."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listener: socket.socket | None = None
        self._pairs: dict[socket.socket, socket.socket] = {}
        self.port = 0
        self._passing = threading.Event()
        self._ended = threading.Event()
        self.open()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def hang(self) -> None:
        self._passing.clear()

    def go_on(self) -> None:
        self._passing.set()

    def refuse(self) -> None:
        """Close the door and every connection."""
        assert self._listener is not None
        self._listener.close()
        for each in list(self._pairs):
            self._drop(each)

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.settimeout(0.01)
        self.port = self._listener.getsockname()[1]
        self._passing.set()

    def close(self) -> None:
        self._ended.set()
        self._passing.set()
        self._thread.join()
        self.refuse()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._passing.wait()
            self._accept()
            self._pass_on()

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            client = self._listener.accept()[0]
        except OSError:
            return
        server = socket.create_connection(self._server)
        self._pairs |= {client: server, server: client}

    def _pass_on(self) -> None:
        with selectors.DefaultSelector() as ready:
            for each in list(self._pairs):
                if each.fileno() >= 0:
                    ready.register(each, selectors.EVENT_READ)
            for key, _ in ready.select(0.01):
                self._pass(key.fileobj)  # type: ignore[arg-type]

    def _pass(self, source: socket.socket) -> None:
        try:
            content = source.recv(65536)
            if content:
                return self._pairs[source].sendall(content)
        except (OSError, KeyError):
            pass
        self._drop(source)

    def _drop(self, one: socket.socket) -> None:
        other = self._pairs.pop(one, None)
        one.close()
        if other is not None:
            self._drop(other)


@pytest.fixture
def proxy(cassandra_url: str) -> Iterator[Proxy]:
    parts = urlsplit(cassandra_url)
    assert parts.hostname is not None
    assert parts.port is not None
    passing = Proxy((parts.hostname, parts.port))
    yield passing
    passing.close()


@pytest.fixture
def table() -> Table:
    return replace(STEPS, name=f"steps_{next(NUMBERS)}")


@pytest.fixture
def store(proxy: Proxy, table: Table, cassandra_url: str) -> Iterator[Store]:
    create_all([f"{cassandra_url}/laws"], [table])
    url = f"cassandra://127.0.0.1:{proxy.port}/laws?timeout_s={TIMEOUT_S}"
    yield open_store(url)
    connection(parse_address(url)).forget()


def steps(count: int, first: int = 0) -> pa.Table:
    times = [second * NS_PER_S for second in range(first, first + count)]
    return pa.table({"time_ns": times, "count": [1] * count}, schema=arrow_schema(STEPS))


def eventually_written(store: Store, table: Table, rows: pa.Table, *, within_s: float = PATIENCE_S) -> None:
    """Repeat as a caller would."""
    began = time.monotonic()
    while True:
        try:
            return store.write(table, rows, 1)
        except StoreUnavailable:
            assert time.monotonic() - began < within_s
            time.sleep(0.05)


def test_a_server_that_hangs_is_unavailable_in_time_and_the_same_write_succeeds_when_it_goes_on(
    store: Store, table: Table, proxy: Proxy
) -> None:
    eventually_written(store, table, steps(1))
    proxy.hang()
    stopwatch = Stopwatch()
    with pytest.raises(StoreUnavailable):
        store.write(table, steps(100), 1)
    assert stopwatch.seconds() < 4 * TIMEOUT_S
    proxy.go_on()
    eventually_written(store, table, steps(100))
    assert store.read(table) == steps(100)


def test_a_server_that_is_gone_is_unavailable_for_writer_and_reader_and_found_again_by_the_same_object(
    store: Store, table: Table, proxy: Proxy
) -> None:
    eventually_written(store, table, steps(10))
    proxy.refuse()
    with pytest.raises(StoreUnavailable):
        store.write(table, steps(100), 1)
    with pytest.raises(StoreUnavailable):
        store.read(table)
    proxy.open()
    eventually_written(store, table, steps(100))
    assert store.read(table) == steps(100)


def test_opening_a_store_where_nobody_listens_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port}"):
        open_store(f"cassandra://127.0.0.1:{port}/laws")


def test_rows_leave_when_their_time_to_live_is_over(cassandra_url: str, table: Table) -> None:
    url = f"{cassandra_url}/laws"
    create_all([url], [table])
    open_store(url).write(table, steps(1), 1)
    longer, brief = open_store(f"{url}?ttl_s=600"), open_store(f"{url}?ttl_s=1")
    longer.write(table, steps(3, first=100), 1)
    assert len(longer.read(table)) == 4
    brief.write(table, steps(3, first=100), 2)
    assert until(lambda: len(brief.read(table)) == 1, PATIENCE_S)
    assert brief.read(table) == steps(1)


def test_rows_of_a_table_that_is_kept_for_ever_have_no_time_to_live_whatever_the_address_says(
    cassandra_url: str, table: Table
) -> None:
    url, kept = f"{cassandra_url}/laws?ttl_s=1", replace(table, ttl_s=None)
    create_all([url], [kept])
    brief = open_store(url)
    brief.write(kept, steps(3), 1)
    time.sleep(2.5)
    brief.expire([kept], time.time_ns())
    times_left = connection(parse_address(url)).rows("asking", f'select ttl("count") from laws.{table.name}', ())
    assert (brief.read(kept), times_left) == (steps(3), [(None,)] * 3)


def test_a_bucket_is_a_partition_and_a_version_is_a_write_timestamp(cassandra_url: str, table: Table) -> None:
    url = f"{cassandra_url}/laws"
    create_all([url], [table])
    open_store(url).write(table, steps(130), 77)
    query = f'select bucket_60s, count(*), max(writetime("count")) from laws.{table.name} group by bucket_60s'
    found = connection(parse_address(url)).rows("counting", query, ())
    assert sorted(found) == [(0, 60, 77), (1, 60, 77), (2, 10, 77)]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_stores_of_one_process_share_one_connection_and_a_forked_child_has_its_own(
    cassandra_url: str, table: Table
) -> None:
    url = f"{cassandra_url}/laws"
    create_all([url], [table])
    child = os.fork()
    if child == 0:
        signal.alarm(120)  # a child that waits on its parent's connection waits for ever
        open_store(url).write(table, steps(5), 1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert connection(parse_address(url)) is connection(parse_address(url))
    assert open_store(url).read(table) == steps(5)


@pytest.mark.parametrize(
    ("before", "reactor", "after"),
    [
        ("", "auto", ""),
        ("", "asyncio", ""),
        ("import eventlet", "auto", ""),
        (PATCHED, "auto", OTHERS_GO_ON),
    ],
    ids=["plain", "asyncio", "eventlet imported", "eventlet patched"],
)
def test_it_works_with_every_event_loop_and_warns_of_nothing(
    cassandra_url: str, table: Table, before: str, reactor: str, after: str
) -> None:
    url = f"{cassandra_url}/laws?reactor={reactor}"
    create_all([url], [table])
    child = subprocess.run(
        [sys.executable, "-c", CHILD.format(before=before, after=after)],
        input=pickle.dumps((url, table, steps(100))),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    said = [line for line in child.stderr.decode().splitlines() if "ventlet" not in line]
    assert (child.returncode, said if not before else []) == (0, [])
