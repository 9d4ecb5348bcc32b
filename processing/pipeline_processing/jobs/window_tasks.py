"""What runs in Spark's Python workers for windows of one second: Arrow batches in, Arrow batches out.

In:   records of a topic, or each window with all its partial results.
Out:  partial results, a row per window and task; or what was written, a row per window.
Side effects: dead letters are on the queue before their task ends, rows are in the store before theirs does; so a batch that
Spark commits is complete, and one that it repeats repeats both under the same ids and versions.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
from pipeline_output.stores import Durability, Store, open_store
from pipeline_output.tables import Table
from pipeline_queue.brokers import Record
from pipeline_queue.codec import decode
from pipeline_queue.dead_letters import DeadLetter, bury
from pipeline_queue.topics import Topic

from pipeline_processing.partials import Events, Partial, merged_by_window, partials
from pipeline_processing.sketch import Sketch
from pipeline_processing.spark.log_source import broker_of
from pipeline_processing.spark.records import as_records
from pipeline_processing.windows import Row, finished

Batches = Iterable[pa.RecordBatch]
PARTIAL_NUMBERS = ("count", "late", "sum", "squares", "min", "max", "newest_event_ns")
PARTIAL_SCHEMA = (
    "window_start timestamp, dead long, count long, late long, sum double, squares double, min double, max double, "
    "newest_event_ns long, sketch binary"
)
"""`dead` is null but for one row a task, which counts dead letters and has no window."""
WRITTEN_SCHEMA = "newest_event_ns long, written_ns long"
_PARTIAL_ARROW = pa.schema(
    [
        ("window_start", pa.timestamp("us", tz="UTC")),
        ("dead", pa.int64()),
        ("count", pa.int64()),
        ("late", pa.int64()),
        ("sum", pa.float64()),
        ("squares", pa.float64()),
        ("min", pa.float64()),
        ("max", pa.float64()),
        ("newest_event_ns", pa.int64()),
        ("sketch", pa.binary()),
    ]
)
_WRITTEN_ARROW = pa.schema([("newest_event_ns", pa.int64()), ("written_ns", pa.int64())])


def summed_up(batches: Batches, topic: Topic, queue_url: str) -> Iterator[pa.RecordBatch]:
    """The partial results of all the batches; dead letters are published."""
    found, dead = [], 0
    for batch in batches:
        events, letters = decoded(topic, as_records(batch))
        bury(broker_of(queue_url), letters)
        found.append(partials(events))
        dead += len(letters)
    yield _as_batch(merged_by_window(found), dead)


def decoded(topic: Topic, records: Iterable[Record]) -> tuple[Events, list[DeadLetter]]:
    """The events of the records as arrays, and the dead letters."""
    times, values, late, appended = [], [], [], []
    letters: list[DeadLetter] = []
    for record in records:
        found = decode(topic, record)
        times += [event.time_ns for event in found.events]
        values += [event.value for event in found.events]
        late += found.late
        appended += [record.append_time_ns] * len(found.events)
        letters += found.dead
    events = Events(
        time_ns=np.array(times, dtype=np.int64),
        value=np.array(values, dtype=np.float64),
        late=np.array(late, dtype=np.bool_),
        append_time_ns=np.array(appended, dtype=np.int64),
    )
    return events, letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a query's rows go."""

    table: Table
    store_url: str
    durability: Durability


def written(batches: Batches, destination: Destination, version: int) -> Iterator[pa.RecordBatch]:
    """Write all windows in one call, so that a store sees a batch whole."""
    now_ns = time.time_ns()
    rows = list(chain.from_iterable(_finished(batch, now_ns) for batch in batches))
    if rows:
        _store(destination).write(destination.table, pa.Table.from_pylist(rows), version)
        written_ns = time.time_ns()
        yield pa.RecordBatch.from_pylist([row | {"written_ns": written_ns} for row in rows], schema=_WRITTEN_ARROW)


def _finished(batch: pa.RecordBatch, now_ns: int) -> Iterator[Row]:
    starts_us = batch.column("window_start").cast(pa.int64()).to_pylist()
    for start_us, parts in zip(starts_us, batch.column("parts").to_pylist(), strict=True):
        yield finished(start_us * 1000, map(_partial, parts), written_ns=now_ns)


def _partial(row: Mapping[str, Any]) -> Partial:
    return Partial(**{name: row[name] for name in PARTIAL_NUMBERS}, sketch=Sketch.from_bytes(row["sketch"]))


def _as_batch(by_window: Mapping[int, Partial], dead: int) -> pa.RecordBatch:
    rows: list[dict[str, Any]] = [
        {name: getattr(part, name) for name in PARTIAL_NUMBERS}
        | {"window_start": window_ns // 1000, "sketch": part.sketch.to_bytes()}
        for window_ns, part in by_window.items()
    ]
    if dead:
        rows.append({"dead": dead})
    return pa.RecordBatch.from_pylist(rows, schema=_PARTIAL_ARROW)


@cache
def _store(destination: Destination) -> Store:
    """One store per process, as `broker_of`; a worker may be the first to write there."""
    store = open_store(destination.store_url, durability=destination.durability)
    store.create([destination.table])
    return store
