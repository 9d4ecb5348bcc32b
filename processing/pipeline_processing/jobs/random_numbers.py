"""Random numbers in windows of one second, written to a store as they come.

In:   the topic `random-numbers`.
Out:  rows of `random_numbers_windows`, a window's row again each time that it changes; dead letters for what is no
      event.
Plan: decode and sum up in Python (one row per window and batch), gather a window's partial results in the JVM's state
      store, merge and write from Python in the same tasks. Spark commits a batch after its tasks, hence after the rows
      are in the store; a repeated batch writes the same keys again with the same version.
The watermark only clears state. It is far larger than any lateness because Spark takes it from the newest window of all
partitions, and after an outage these are read unevenly; its count of dropped rows must stay 0.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache

import numpy as np
import pyarrow as pa
from pipeline_output.stores import Store, open_store
from pipeline_output.tables import TABLES
from pipeline_queue.codec import decode_all
from pipeline_queue.dead_letters import bury
from pipeline_queue.topics import RANDOM_NUMBERS
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.streaming import StreamingQuery

from pipeline_processing.jobs.job import Context
from pipeline_processing.partials import Events, Partial, merged_by_window, partials
from pipeline_processing.sketch import Sketch
from pipeline_processing.spark.log_source import broker_of
from pipeline_processing.spark.records import as_records
from pipeline_processing.spark.sources import stream
from pipeline_processing.windows import finished

TOPIC = RANDOM_NUMBERS
TABLE = TABLES["random_numbers_windows"]
_TIME = pa.timestamp("us", tz="UTC")
_NUMBERS = ("count", "late", "sum", "squares", "min", "max", "newest_event_ns")
PARTIAL_ARROW = pa.schema(
    [
        ("window_start", _TIME),
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
PARTIAL_SCHEMA = (
    "window_start timestamp, dead long, count long, late long, sum double, squares double, min double, max double, "
    "newest_event_ns long, sketch binary"
)
WRITTEN_SCHEMA = "newest_event_ns long, written_ns long"


def start(spark: SparkSession, context: Context) -> StreamingQuery:
    """The query of this job into one store; it runs until stopped."""
    records = stream(spark, context.queue_url, TOPIC.name, records_max=context.records_max)
    parts = _partials(records.coalesce(context.parallelism), context)
    written = _written(_gathered(parts, context), context)
    return (
        written.writeStream.queryName(context.query_name)
        .format("noop")
        .outputMode("update")
        .option("checkpointLocation", str(context.checkpoint))
        .trigger(processingTime=f"{round(context.trigger_s * 1000)} milliseconds")
        .start()
    )


def _partials(records: DataFrame, context: Context) -> DataFrame:
    queue_url = context.queue_url

    def decoded(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from partial_batches(batches, queue_url)

    rows = records.mapInArrow(decoded, PARTIAL_SCHEMA)
    return rows.observe(
        "read", f.sum("count").alias("count"), f.sum("late").alias("late"), f.sum("dead").alias("dead")
    ).where("dead = 0")


def _gathered(parts: DataFrame, context: Context) -> DataFrame:
    return (
        parts.withWatermark("window_start", f"{context.watermark_s} seconds")
        .groupBy("window_start")
        .agg(f.collect_list(f.struct(*_NUMBERS, "sketch")).alias("parts"))
    )


def _written(windows: DataFrame, context: Context) -> DataFrame:
    store_url, first_version = context.store_url, context.first_version

    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        version = first_version + int(TaskContext.get().getLocalProperty("streaming.sql.batchId"))
        yield from write_batches(batches, store_of(store_url), version)

    one_writer = windows if context.parallelism == 1 else windows.repartition(1)
    return one_writer.mapInArrow(write, WRITTEN_SCHEMA).observe(
        "written",
        f.count("*").alias("rows"),
        f.max("newest_event_ns").alias("newest_event_ns"),
        f.max("written_ns").alias("written_ns"),
    )


def partial_batches(batches: Iterator[pa.RecordBatch], queue_url: str) -> Iterator[pa.RecordBatch]:
    """One batch of PARTIAL_ARROW: a row per window, and one that counts dead letters, which are published here."""
    by_window, dead = [], 0
    for batch in batches:
        records = list(as_records(batch))
        events, batch_dead = decode_events(records)
        bury(broker_of(queue_url), batch_dead)
        by_window.append(partials(events))
        dead += len(batch_dead)
    yield _as_batch(merged_by_window(by_window), dead)


def decode_events(records):
    """The events of records as arrays, and the dead letters."""
    late_, times, values, appended, dead = [], [], [], [], []
    for record in records:
        decoded = decode_all(TOPIC, [record])
        times += [event.time_ns for event in decoded.events]
        values += [event.value for event in decoded.events]
        late_ += decoded.late
        appended += [record.append_time_ns] * len(decoded.events)
        dead += decoded.dead
    return (
        Events(
            time_ns=np.array(times, dtype=np.int64),
            value=np.array(values, dtype=np.float64),
            late=np.array(late_, dtype=np.bool_),
            append_time_ns=np.array(appended, dtype=np.int64),
        ),
        dead,
    )


def write_batches(batches: Iterator[pa.RecordBatch], store: Store, version: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        now_ns = time.time_ns()
        starts = batch.column("window_start").cast(pa.int64()).to_pylist()
        rows = [
            finished(start_us * 1000, map(_partial, parts), written_ns=now_ns)
            for start_us, parts in zip(starts, batch.column("parts").to_pylist(), strict=True)
        ]
        if not rows:
            continue
        store.write(TABLE, pa.Table.from_pylist(rows), version)
        yield pa.RecordBatch.from_pydict(
            {
                "newest_event_ns": pa.array([row["newest_event_ns"] for row in rows], pa.int64()),
                "written_ns": pa.array([time.time_ns()] * len(rows), pa.int64()),
            }
        )


@cache
def store_of(url: str) -> Store:
    store = open_store(url)
    store.create([TABLE])
    return store


def _partial(row) -> Partial:
    return Partial(**{name: row[name] for name in _NUMBERS}, sketch=Sketch.from_bytes(row["sketch"]))


def _as_batch(by_window: dict[int, Partial], dead: int) -> pa.RecordBatch:
    rows = [
        {
            "window_start": window_ns // 1000,
            "dead": 0,
            **{name: getattr(part, name) for name in _NUMBERS},
            "sketch": part.sketch.to_bytes(),
        }
        for window_ns, part in by_window.items()
    ]
    if dead:
        rows.append({"dead": dead})
    return pa.RecordBatch.from_pylist(rows, schema=PARTIAL_ARROW)
