"""Windows into each store and out of it, and the bare means below it.

    python tests/benchmarks/bench_stores.py [cassandra://host:port/keyspace ...]

In:   store URLs; disk and SQLite in a temporary folder are always measured.
Out:  a table: an hour of windows (3,600 rows of 14 columns) in one write; three windows a write into that hour, as a
      job with a trigger of 1 s does; reading the newest 10 minutes, as a page does five times a second, unchanged and
      after each write. Own µs and ms are this process's processor time; the server's own is not in it.
      Ratios are to the bare means, measured in turns with the store: pyarrow writing the hour to a file, SQLite's
      executemany, cassandra-driver's execute_concurrent_with_args over single rows.
Durability is `process`.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pyarrow as pa
import pyarrow.parquet as pq
from measuring import Cost, in_turns
from pipeline_output.stores import Store, open_store
from pipeline_output.stores.cassandra_connection import connection
from pipeline_output.stores.cassandra_url import parse_address
from pipeline_output.tables import NS_PER_S, RANDOM_NUMBERS_WINDOWS, Table, arrow_schema
from rich.console import Console
from rich.table import Table as Printed

HOUR = 3600
WRITES = 50
ROWS_A_WRITE = 3
READS = 50
NEWEST_S = 600
BEGIN_S = 1_795_348_800

Pieces = dict[str, Callable[[], int]]
PEERS = {"an hour in one write": "bare: an hour in one write", "3 windows a write": "bare: 3 windows a write"}


def main() -> None:
    parser = argparse.ArgumentParser(description="What storing windows costs.")
    parser.add_argument("urls", nargs="*", help="cassandra://host:port/keyspace")
    printed = Printed(
        "store", "piece", "rows/s", "own µs/row", "own ms/call", "ratio to bare", title="Windows in stores"
    )
    with tempfile.TemporaryDirectory() as folder:
        for url in (f"disk://{folder}/disk", f"sqlite://{folder}/store.sqlite", *parser.parse_args().urls):
            table = replace(RANDOM_NUMBERS_WINDOWS, name=f"bench_{token_hex(4)}")
            with closing(open_store(url)) as store:
                store.create([table])
                show(printed, url, in_turns(pieces(store, table) | bare(url, table, Path(folder))))
            if url.startswith("cassandra:"):
                clear(url, table)
    Console(width=120).print(printed)


def windows(count: int, first: int = 0) -> pa.Table:
    """Rows whose figures zstd cannot make small."""
    dice = random.Random(first)
    columns = {
        column.name: [
            (BEGIN_S + first + i) * NS_PER_S + dice.randrange(NS_PER_S) if column.kind == "int64" else dice.gauss(0, 1)
            for i in range(count)
        ]
        for column in RANDOM_NUMBERS_WINDOWS.columns
    }
    columns["window_start_ns"] = [(BEGIN_S + first + i) * NS_PER_S for i in range(count)]
    return pa.table(columns, schema=arrow_schema(RANDOM_NUMBERS_WINDOWS))


def pieces(store: Store, table: Table) -> Pieces:
    versions = itertools.count(1)
    hour, newest_ns = windows(HOUR), (BEGIN_S + HOUR - NEWEST_S) * NS_PER_S
    few = [windows(ROWS_A_WRITE, HOUR - ROWS_A_WRITE - i) for i in range(WRITES)]

    def whole_hour() -> int:
        store.write(table, hour, next(versions))
        return HOUR

    def few_windows() -> int:
        for rows in few:
            store.write(table, rows, next(versions))
        return WRITES * ROWS_A_WRITE

    def reads() -> int:
        return sum(len(store.read(table, newest_ns)) for _ in range(READS))

    def reads_of_news() -> int:
        found = 0
        for rows in few:
            store.write(table, rows, next(versions))
            found += len(store.read(table, newest_ns))
        return found

    return {
        "an hour in one write": whole_hour,
        "3 windows a write": few_windows,
        "newest 10 min, unchanged": reads,
        "3 windows written, newest 10 min read": reads_of_news,
    }


CALLS = {"an hour in one write": 1, "3 windows a write": WRITES, "newest 10 min, unchanged": READS}


def bare(url: str, table: Table, folder: Path) -> Pieces:
    scheme = url.partition(":")[0]
    hour, few = windows(HOUR), windows(ROWS_A_WRITE)
    one = {"disk": bare_parquet, "sqlite": bare_sqlite, "cassandra": bare_cassandra}[scheme](url, table, folder)

    def whole_hour() -> int:
        one(hour)
        return HOUR

    def few_windows() -> int:
        for _ in range(WRITES):
            one(few)
        return WRITES * ROWS_A_WRITE

    return {"bare: an hour in one write": whole_hour, "bare: 3 windows a write": few_windows}


def bare_parquet(_url: str, _table: Table, folder: Path) -> Callable[[pa.Table], None]:
    return lambda rows: pq.write_table(rows, folder / "bare.parquet", compression="zstd")


def bare_sqlite(_url: str, table: Table, folder: Path) -> Callable[[pa.Table], None]:
    file = sqlite3.connect(folder / "bare.sqlite")
    file.execute("pragma journal_mode = wal")
    file.execute("pragma synchronous = normal")
    file.execute(
        f"create table t ({', '.join(f'c{i}' for i in range(len(table.columns)))}, primary key (c0)) without rowid"
    )
    statement = f"insert or replace into t values ({', '.join('?' * len(table.columns))})"

    def write(rows: pa.Table) -> None:
        file.executemany(statement, zip(*rows.to_pydict().values(), strict=True))
        file.commit()

    return write


def bare_cassandra(url: str, table: Table, _folder: Path) -> Callable[[pa.Table], None]:
    from cassandra.concurrent import execute_concurrent_with_args  # after ours, which keeps the driver's warnings out

    address = parse_address(url)
    names = ", ".join(f'"{name}"' for name in table.names)
    marks = ", ".join("?" * len(table.names))
    session = connection(address)._connected()
    definition = ", ".join(f'"{c.name}" {"bigint" if c.kind == "int64" else "double"}' for c in table.columns)
    name = f"{address.keyspace}.{table.name}_bare"
    session.execute(f'create table if not exists {name} ({definition}, primary key ("{table.time}"))')
    insert = session.prepare(f"insert into {name} ({names}) values ({marks})")

    def write(rows: pa.Table) -> None:
        values = list(zip(*rows.to_pydict().values(), strict=True))
        execute_concurrent_with_args(session, insert, values)

    return write


def clear(url: str, table: Table) -> None:
    address = parse_address(url)
    for name in (table.name, f"{table.name}_bare"):
        connection(address).define(f"dropping `{name}`", f"drop table {address.keyspace}.{name}")


def show(printed: Printed, url: str, costs: dict[str, Cost]) -> None:
    for piece, cost in costs.items():
        ratio = f"{cost.own_us / costs[PEERS[piece]].own_us:.2f}" if piece in PEERS else ""
        calls = CALLS.get(piece.removeprefix("bare: "), WRITES)
        figures = (f"{cost.events_per_s:,.0f}", f"{cost.own_us:,.2f}", f"{cost.own_s / calls * 1000:.2f}")
        printed.add_row(url.partition(":")[0], piece, *figures, ratio)
    printed.add_section()


if __name__ == "__main__":
    main()
