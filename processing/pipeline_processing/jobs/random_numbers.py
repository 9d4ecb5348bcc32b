"""Random numbers in windows of one second, written to a store as they come.

In:   the topic `random-numbers`.
Out:  rows of `random_numbers_windows`, a window's row again each time that it changes; dead letters for what is no
      event.
Plan: decode and sum up in Python (a row per window and task), gather each window's partial results in the JVM's state
      store, merge and write from Python in the same tasks. Spark commits a batch after its tasks, hence after the rows
      are in the store; a repeated batch writes the same keys again with the same version. Spark's own sink is empty:
      with `foreachBatch` a second query would be planned for each batch and guarantee no more.
The watermark only clears state. It is far larger than any lateness because Spark takes it from the newest window of all
partitions, and after an outage these are read unevenly; its count of dropped rows must stay 0.
"""

from __future__ import annotations

from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS
from pipeline_queue.topics import RANDOM_NUMBERS
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.streaming import StreamingQuery

from pipeline_processing.jobs.job import Context
from pipeline_processing.jobs.window_tasks import (
    PARTIAL_NUMBERS,
    PARTIAL_SCHEMA,
    WRITTEN_SCHEMA,
    Batches,
    Destination,
    summed_up,
    written,
)
from pipeline_processing.spark.sources import stream

TOPIC = RANDOM_NUMBERS
TABLE = RANDOM_NUMBERS_WINDOWS
BATCH_ID = "streaming.sql.batchId"
"""Spark's name for the number of the micro-batch that a task belongs to."""


def start(spark: SparkSession, context: Context) -> StreamingQuery:
    """The query of this job into one store; it runs until stopped."""
    limits = {"records_max": context.records_max, "tasks": context.parallelism}
    records = stream(spark, context.queue_url, TOPIC.name, **limits)
    rows = _written(_gathered(_summed_up(records, context), context), context)
    return (
        rows.writeStream.queryName(context.query_name)
        .format("noop")
        .outputMode("update")
        .option("checkpointLocation", str(context.checkpoint))
        .trigger(processingTime=f"{round(context.trigger_s * 1000)} milliseconds")
        .start()
    )


def _summed_up(records: DataFrame, context: Context) -> DataFrame:
    topic, queue_url = TOPIC, context.queue_url

    def task(batches: Batches) -> Batches:
        return summed_up(batches, topic, queue_url)

    figures = [f.sum(name).alias(name) for name in ("count", "late", "dead")]
    rows = records.mapInArrow(task, PARTIAL_SCHEMA)
    return rows.observe("read", *figures).where("window_start IS NOT NULL")


def _gathered(parts: DataFrame, context: Context) -> DataFrame:
    return (
        parts.withWatermark("window_start", f"{context.watermark_s} seconds")
        .groupBy("window_start")
        .agg(f.collect_list(f.struct(*PARTIAL_NUMBERS, "sketch")).alias("parts"))
    )


def _written(windows: DataFrame, context: Context) -> DataFrame:
    destination = Destination(table=TABLE, store_url=context.store_url, durability=context.durability)
    first_version = context.first_version

    def task(batches: Batches) -> Batches:
        batch_id = int(TaskContext.get().getLocalProperty(BATCH_ID))
        return written(batches, destination, first_version + batch_id)

    one_task = windows if context.parallelism == 1 else windows.repartition(1)
    figures = [f.max(name).alias(name) for name in ("newest_event_ns", "written_ns")]
    return one_task.mapInArrow(task, WRITTEN_SCHEMA).observe("written", f.count("*").alias("rows"), *figures)
