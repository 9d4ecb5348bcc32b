"""Events as they are into Cassandra, through our store and through the driver's own concurrent loop.

    python tests/benchmarks/bench_raw_rows.py cassandra://host:port/keyspace

In:   the URL of a Cassandra store; without one there is nothing to measure.
Out:  a table: rows/s and this process's µs a row of 20,000 random numbers in writes of 5,000, by CassandraStore.write and
      by execute_concurrent over bound statements in unlogged batches of one partition, of as many rows as each line
      says; and how many times the store's rows/s are those of the driver's best batch. Same server, same heap, same table, same
      statement, same rows. The driver's loop finds its rows as tuples, the store gets an Arrow table, as its callers have it.
The pieces run in turns, RUNS times after one run that nobody counts; rows/s are each piece's median.
Figure: 70 % of the driver's best.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from secrets import token_hex
from statistics import median

import pyarrow as pa
from pipeline_output.stores import cql, open_store
from pipeline_output.stores.cassandra_connection import BatchStatement, BatchType, connection
from pipeline_output.stores.cassandra_url import Address, parse_address
from pipeline_output.tables import Table, arrow_schema, events_table
from pipeline_queue.events import event_id
from pipeline_queue.topics import RANDOM_NUMBERS
from rich.console import Console
from rich.table import Table as Printed

ROWS = 20_000
ROWS_A_WRITE = 5_000
BATCHES = (8, 16, 32, 64, 128)
"""Rows in a batch of the driver's loop; a row is some 140 bytes to Cassandra."""
CONCURRENCIES = (32, 100)
RUNS = 3
FIGURE = 0.7
BEGIN_NS = 1_795_348_800 * 1_000_000_000
OURS = "CassandraStore.write"


def main() -> None:
    parser = argparse.ArgumentParser(description="What raw rows into Cassandra cost.")
    parser.add_argument("urls", nargs="*", help="cassandra://host:port/keyspace")
    for url in parser.parse_args().urls:
        table = replace(events_table(RANDOM_NUMBERS), name=f"bench_{token_hex(4)}")
        with closing(open_store(url)) as store:
            store.create([table])
            parts = [rows(first) for first in range(0, ROWS, ROWS_A_WRITE)]
            pieces: dict[str, Callable[[], None]] = {
                OURS: lambda store=store, table=table, parts=parts: [
                    store.write(table, part, time.time_ns() // 1000) for part in parts
                ]
            }
            pieces |= driver_loops(parse_address(url), table, parts)
            Console(width=120).print(shown(in_turns(pieces)))
        connection(parse_address(url)).define(
            f"dropping `{table.name}`", f"drop table {parse_address(url).keyspace}.{table.name}"
        )


def rows(first: int) -> pa.Table:
    """Numbers of one producer, 100,000 a second, all in one hour."""
    producer, seqs = "random-numbers-0123abcd", range(first, first + ROWS_A_WRITE)
    columns = {
        "event_id": [event_id(producer, seq) for seq in seqs],
        "time_ns": [BEGIN_NS + seq * 10_000 for seq in seqs],
        "producer": [producer] * ROWS_A_WRITE,
        "seq": list(seqs),
        "value": [(seq * 0.618033988749895) % 1 for seq in seqs],
    }
    return pa.table(columns, schema=arrow_schema(events_table(RANDOM_NUMBERS)))


def driver_loops(address: Address, table: Table, parts: list[pa.Table]) -> dict[str, Callable[[], None]]:
    from cassandra.concurrent import execute_concurrent  # after ours, which keeps the driver's warnings out

    session = connection(address)._connected()
    insert = session.prepare(cql.insert_row(address.keyspace, table))
    bucket = BEGIN_NS // table.bucket_ns
    values = [list(zip(*part.select(list(table.names)).to_pydict().values(), strict=True)) for part in parts]

    def loop(size: int, concurrency: int) -> None:
        version = time.time_ns() // 1000
        for part in values:
            statements = []
            for first in range(0, len(part), size):
                batch = BatchStatement(BatchType.UNLOGGED)
                for row in part[first : first + size]:
                    batch.add(insert, (bucket, *row, version, table.ttl_s))
                statements.append((batch, None))
            execute_concurrent(session, statements, concurrency=concurrency, raise_on_first_error=True)

    return {
        f"driver, {size} rows a batch, {concurrency} at once": lambda s=size, c=concurrency: loop(s, c)
        for size in BATCHES
        for concurrency in CONCURRENCIES
    }


def in_turns(pieces: dict[str, Callable[[], None]]) -> dict[str, list[tuple[float, float]]]:
    """Wall and own processor time of each run."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in pieces}
    for turn in range(1 + RUNS):
        for name, piece in pieces.items():
            wall_s, own_s = time.perf_counter(), time.process_time()
            piece()
            if turn:
                found[name].append((time.perf_counter() - wall_s, time.process_time() - own_s))
    return found


def shown(found: dict[str, list[tuple[float, float]]]) -> Printed:
    printed = Printed(title=f"{ROWS:,} random numbers into Cassandra, {ROWS_A_WRITE:,} a write", box=None)
    printed.add_column("what")
    for name in ("rows/s", "own µs/row", "of the driver's best"):
        printed.add_column(name, justify="right")
    rows_per_s = {name: median(ROWS / wall_s for wall_s, _ in runs) for name, runs in found.items()}
    best = max(rate for name, rate in rows_per_s.items() if name != OURS)
    for name, rate in rows_per_s.items():
        own_us = median(own_s / ROWS * 1e6 for _, own_s in found[name])
        mark = "" if name != OURS else " ok" if rate / best >= FIGURE else f" < {FIGURE:.0%}"
        printed.add_row(name, f"{rate:,.0f}", f"{own_us:.1f}", f"{rate / best:.0%}{mark}")
    return printed


if __name__ == "__main__":
    main()
