"""Events into PostgreSQL: the loader beside a bare COPY, its memory, and how long an event takes from its POST to its row.

    python tests/benchmarks/bench_loader.py [--events N]

In:   nothing; PostgreSQL's programs are installed here. Server, queue (SQLite) and loader share this machine's cores.
Out:  rows/s of the loader, of COPY with its text made beforehand, and of COPY row by row, into tables of the same columns and key; how
      much memory a loader's process took at most, for a tenth of the events and for all; the median from POST to row at an
      interval of one second. The server runs with `fsync = off`, for all of them alike.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from math import inf
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))
import psutil
import psycopg
from measuring import processor_s
from pipeline_output.loader import open_database
from pipeline_output.loader.chunk import chunks
from pipeline_output.loader.copy_text import text
from pipeline_output.loader.database import Progress
from pipeline_output.loader.event_table import event_table
from pipeline_output.loader.reading import read_on
from pipeline_output.loader.turn import Loading, take_turn
from pipeline_queue.brokers import open_broker
from pipeline_queue.catalog import topics
from pipeline_queue.clock import SystemClock
from pipeline_queue.codec import blocks
from pipeline_queue.events import Event, event_type
from pipeline_queue.service_events import event_types
from postgres_cluster import Cluster, running_postgres
from rich.console import Console
from rich.table import Table
from running_collector import collecting

CRASHES = event_table(event_types()["crash_report"])
BLOCK_EVENTS = 500
CHUNK_ROWS = 20_000
RUNS = 5
POSTS = 30
WRITE_BYTES = 64 * 1024
MESSAGE = "java.lang.IllegalStateException: the view was recycled\n\tat com.example.List.bind(List.java:52)"


def main(events: int) -> None:
    console = Console(width=120)
    with running_postgres() as cluster, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        console.print(rates(cluster, folder, events // 10))
        console.print(memory(cluster, folder, events))
        console.print(
            f"POST to row, interval 1 s: median {posts(cluster, folder):.2f} s of {POSTS}; load {os.getloadavg()}"
        )


def rates(cluster: Cluster, folder: Path, count: int) -> Table:
    """The best of some runs of each, in turns, and their least processor time."""
    queue_url = published(folder / "rates", count)
    turns = [*queued(queue_url)]
    texts = [text(each, CRASHES.columns) for each in turns]
    rows = [[tuple(getattr(event, name) for name in CRASHES.names) for event in each] for each in turns]
    ways = {
        "loader": lambda url: load(queue_url, url),
        "COPY, text at hand": lambda url: copy_text(url, texts),
        "COPY, row by row": lambda url: copy_rows(url, rows),
    }
    server = psutil.Process(int((cluster.folder / "data/postmaster.pid").read_text().split()[0]))
    best, own_s, server_s = {}, {}, {}
    for _ in range(RUNS):
        for name, way in ways.items():
            url, own_before_s, before_s = prepared(cluster), time.process_time(), processor_s(server)
            best[name] = max(best.get(name, 0.0), count / way(url))
            own_s[name] = min(own_s.get(name, inf), time.process_time() - own_before_s)
            time.sleep(0.2)  # its process ends after the connection
            server_s[name] = min(server_s.get(name, inf), processor_s(server) - before_s)
    table = Table(title=f"{count:,} rows into PostgreSQL, best of {RUNS}; load {os.getloadavg()}", box=None)
    for name in ("way", "rows/s", "the loader's share of it", "own µs a row", "the server's"):
        table.add_column(name, justify="right")
    for name, rows_per_s in best.items():
        costs = (f"{spent_s[name] / count * 1e6:.2f}" for spent_s in (own_s, server_s))
        table.add_row(name, f"{rows_per_s:,.0f}", f"{best['loader'] / rows_per_s:.0%}", *costs)
    return table


def memory(cluster: Cluster, folder: Path, events: int) -> Table:
    table = Table(title="a loader's process", box=None)
    for name in ("events", "s", "MB at most"):
        table.add_column(name, justify="right")
    for count in (events // 10, events):
        queue_url = published(folder / f"memory-{count}", count)
        started = time.perf_counter()
        peak_mb = peak_of_loader(QUEUE_URL=queue_url, DATABASE_URL=prepared(cluster))
        table.add_row(f"{count:,}", f"{time.perf_counter() - started:,.1f}", f"{peak_mb:,.0f}")
    return table


def posts(cluster: Cluster, folder: Path) -> float:
    url, waits_s = prepared(cluster), []
    with (
        collecting(folder / "posts") as collector,
        loading(QUEUE_URL=collector.queue_url, DATABASE_URL=url, DB_LOAD_INTERVAL="1", DB_LOAD_MIN_INTERVAL="0"),
        psycopg.connect(url, autocommit=True) as connection,
    ):
        for number in range(-1, POSTS):  # the first one waits for the loader's start, too
            event = {"event_name": "crash_report", "user_id": number, "timestamp": 1, "message": MESSAGE}
            started = time.perf_counter()
            assert collector.ask("POST", "/", event)[1]["status_code"] == 0
            while not connection.execute("select 1 from crash_report where user_id = %s", (number,)).fetchone():
                time.sleep(0.01)
            waits_s.append(time.perf_counter() - started)
            time.sleep(0.137 * (number % 7))  # at another moment of the second
    return median(waits_s[1:])


def published(folder: Path, count: int) -> str:
    """The URL of a queue that has so many."""
    folder.mkdir()
    url = f"sqlite://{folder}/queue"
    made = events_of(count)
    with closing(open_broker(url)) as broker:
        broker.create(topics().values())
        while some := list(islice(made, 50_000)):
            broker.publish(CRASHES.topic.name, blocks(CRASHES.topic, some, events_max=BLOCK_EVENTS))
    return url


def events_of(count: int) -> Iterator[Event]:
    """As four workers of a collector make them."""
    make, now_ns = event_type(CRASHES.topic), time.time_ns()
    for seq in range(count):
        yield make(
            event_id=f"0193{seq:08x}-7000-8000-{now_ns % 16**12:012x}",
            time_ns=now_ns,
            producer=f"collector-{seq % 4}",
            seq=seq,
            client="shop",
            user_id=seq,
            timestamp=seq,
            message=MESSAGE,
        )


def prepared(cluster: Cluster) -> str:
    url = cluster.new_database()
    with closing(open_database(url)) as database:
        database.prepare([CRASHES])
    return url


def load(queue_url: str, url: str) -> float:
    started = time.perf_counter()
    database, broker = open_database(url), open_broker(queue_url)
    with closing(Loading(broker=broker, database=database, clock=SystemClock(), chunk_rows=CHUNK_ROWS)) as at:
        while (loaded := take_turn(at, CRASHES)) and loaded.has_more:
            pass
    return time.perf_counter() - started


def copy_text(url: str, texts: list[bytes]) -> float:
    """A transaction for each, as a turn of the loader is one."""
    started = time.perf_counter()
    with psycopg.connect(url) as connection:
        for each in texts:
            with connection.transaction(), connection.cursor() as cursor, cursor.copy(copying()) as copy:
                for start in range(0, len(each), WRITE_BYTES):
                    copy.write(each[start : start + WRITE_BYTES])
    return time.perf_counter() - started


def copy_rows(url: str, chunks_of_rows: list[list[tuple[object, ...]]]) -> float:
    started = time.perf_counter()
    with psycopg.connect(url) as connection:
        for each in chunks_of_rows:
            with connection.transaction(), connection.cursor() as cursor, cursor.copy(copying()) as copy:
                for row in each:
                    copy.write_row(row)
    return time.perf_counter() - started


def queued(queue_url: str) -> Iterator[list[Event]]:
    """In the order and the chunks of the loader: where a row falls in the index has its price."""
    nexts: dict[int, Progress] = {}
    with closing(open_broker(queue_url)) as broker:
        while (reading := read_on(broker, CRASHES.topic, nexts)).records:
            yield [
                event
                for chunk in chunks(CRASHES.topic, reading.records, CHUNK_ROWS)
                for part in chunk.batches()
                for event in part
            ]
            nexts = {
                n: Progress(topic=CRASHES.topic.name, partition=n, next_offset=at) for n, at in reading.nexts.items()
            }


def copying() -> str:
    names = ", ".join(f'"{name}"' for name in CRASHES.names)
    return f'copy "{CRASHES.name}" ({names}) from stdin'


def peak_of_loader(**settings: str) -> float:
    """MB of the process's own, as the kernel counts them."""
    command = [sys.executable, "-c", PEAK, "load", "--once"]
    done = subprocess.run(command, env=os.environ | settings, check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[-1]) / 1024


PEAK = """
from pathlib import Path
from pipeline_cli.main import app
app(standalone_mode=False)
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""
"""Not `ru_maxrss`: that begins with what the process had which started this one."""


@contextmanager
def loading(**settings: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "pipeline_cli", "load"], env=os.environ | settings)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What the loader does, beside a bare COPY.")
    parser.add_argument("--events", type=int, default=2_000_000)
    main(parser.parse_args().events)
