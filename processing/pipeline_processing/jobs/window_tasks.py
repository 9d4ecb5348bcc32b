"""What runs in Spark's Python workers for a job in windows: Arrow batches in, Arrow batches out.

In:   records of a topic, or each window with all its partial results.
Out:  partial results, a row per window and task and one per repeated event; or what was written, a row per window and store.
Side effects: dead letters are on the queue before their task ends, rows are in the stores, or wait for them, before theirs
does; so a batch that Spark commits is complete, and one that it repeats repeats both under the same ids and versions.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
from pipeline_queue.dead_letters import bury

from pipeline_processing.decoding import decoded
from pipeline_processing.delivery import Outlet, deliver
from pipeline_processing.jobs.partial_rows import Read, as_batch, partial_of
from pipeline_processing.partials import merged_by_window, partials
from pipeline_processing.spark.log_source import broker_of
from pipeline_processing.spark.records import as_records
from pipeline_processing.window_rows import Row, finished
from pipeline_processing.windows import Windows

Batches = Iterable[pa.RecordBatch]
WRITTEN_SCHEMA = "newest_event_ns long, written_ns long"
_WRITTEN_ARROW = pa.schema([("newest_event_ns", pa.int64()), ("written_ns", pa.int64())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a query's records come from; an event that is late by more than `remembered_ns` meets no repeat."""

    windows: Windows
    queue_url: str
    remembered_ns: int


def summed_up(batches: Batches, origin: Origin) -> Iterator[pa.RecordBatch]:
    """The partial results of all the batches; dead letters are published."""
    found, events_read, late, dead = [], 0, 0, 0
    for batch in batches:
        events, letters = decoded(origin.windows, as_records(batch))
        bury(broker_of(origin.queue_url), letters)
        found.append(partials(events, origin.windows, remembered_ns=origin.remembered_ns))
        events_read += len(events.late)
        late += int(events.late.sum())
        dead += len(letters)
    yield as_batch(merged_by_window(found), Read(on_time=events_read - late, late=late, dead=dead), origin.windows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a query's rows go."""

    windows: Windows
    outlets: tuple[Outlet, ...]


def written(batches: Batches, destination: Destination, version: int) -> Iterator[pa.RecordBatch]:
    """Write all windows in one call, so that a store sees a batch whole; a row for each window and store that has it."""
    now_ns = time.time_ns()
    rows = list(chain.from_iterable(_finished(batch, destination.windows, now_ns) for batch in batches))
    if rows:
        table = destination.windows.table
        reached = deliver(table, pa.Table.from_pylist(rows), version, destination.outlets)
        written_ns = time.time_ns()
        yield pa.RecordBatch.from_pylist(
            [row | {"written_ns": written_ns} for row in rows] * reached, schema=_WRITTEN_ARROW
        )


def _finished(batch: pa.RecordBatch, windows: Windows, now_ns: int) -> Iterator[Row]:
    starts_us = batch.column("window_start").cast(pa.int64()).to_pylist()
    groups = batch.column(windows.group).to_pylist() if windows.group else [""] * len(starts_us)
    for start_us, group, rows in zip(starts_us, groups, batch.column("parts").to_pylist(), strict=True):
        parts = [partial_of(row, windows) for row in rows]
        if row := finished((start_us * 1000, group), parts, windows, written_ns=now_ns):
            yield row
