"""A job in windows: a topic's events summed up by window and group, written to a store as they come.

In:   the declaration of its windows.
Out:  a job whose rows are those of the windows' table, a window's row again each time that it changes, in every store; dead
      letters for what is no event.
Plan: decode and sum up in Python (a row per window and task), gather each window's partial results in the JVM's state
      store, merge and write from Python in the same tasks. Spark commits a batch after its tasks, hence after the rows
      are in the stores, or wait for one that is away; a repeated batch writes the same keys again with the same version. Spark's own sink is empty:
      with `foreachBatch` a second query would be planned for each batch and guarantee no more.
The watermark only clears state. It is far larger than any lateness because Spark takes it from the newest window of all
partitions, and after an outage these are read unevenly; its count of dropped rows must stay 0.
"""

from __future__ import annotations

from functools import partial

from pipeline_output.tables import NS_PER_S
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.streaming import StreamingQuery

from pipeline_processing.delivery import outlets
from pipeline_processing.jobs import partial_rows
from pipeline_processing.jobs.job import Context, Job
from pipeline_processing.jobs.window_tasks import WRITTEN_SCHEMA, Batches, Destination, Origin, summed_up, written
from pipeline_processing.spark.sources import stream
from pipeline_processing.windows import Windows

BATCH_ID = "streaming.sql.batchId"
"""Spark's name for the number of the micro-batch that a task belongs to."""


def windowed(name: str, title: str, windows: Windows) -> Job:
    """The job that fills the windows' table."""
    return Job(
        name=name, title=title, topic=windows.topic.name, table=windows.table.name, start=partial(start, windows)
    )


def start(windows: Windows, spark: SparkSession, context: Context) -> StreamingQuery:
    """The query of the job into the context's stores; it runs until stopped."""
    limits = {"records_max": context.records_max, "tasks": context.parallelism}
    records = stream(spark, context.queue_url, windows.topic.name, **limits)
    rows = _written(_gathered(_summed_up(records, windows, context), windows, context), windows, context)
    return (
        rows.writeStream.queryName(context.query_name)
        .format("noop")
        .outputMode("update")
        .option("checkpointLocation", str(context.checkpoint))
        .trigger(processingTime=f"{round(context.trigger_s * 1000)} milliseconds")
        .start()
    )


def _summed_up(records: DataFrame, windows: Windows, context: Context) -> DataFrame:
    # Half of what Spark remembers: the other half is for partitions that are read unevenly.
    remembered_ns = context.watermark_s * NS_PER_S // 2
    origin = Origin(windows=windows, queue_url=context.queue_url, remembered_ns=remembered_ns)

    def task(batches: Batches) -> Batches:
        return summed_up(batches, origin)

    rows = records.mapInArrow(task, partial_rows.ddl(windows))
    figures = [f.sum(f"read_{name}").alias(name) for name in partial_rows.READ]
    return rows.observe("read", *figures, f.max("sample").alias("sample")).where("window_start IS NOT NULL")


def _gathered(parts: DataFrame, windows: Windows, context: Context) -> DataFrame:
    keys = ["window_start", *([windows.group] if windows.group else [])]
    return (
        parts.withWatermark("window_start", f"{context.watermark_s} seconds")
        .groupBy(*keys)
        .agg(f.collect_list(f.struct(*partial_rows.of_partial(windows))).alias("parts"))
    )


def _written(parts: DataFrame, windows: Windows, context: Context) -> DataFrame:
    destination = Destination(windows=windows, outlets=outlets(context.store_urls, context.durability, context.waiting))
    first_version = context.first_version

    def task(batches: Batches) -> Batches:
        batch_id = int(TaskContext.get().getLocalProperty(BATCH_ID))
        return written(batches, destination, first_version + batch_id)

    one_task = parts if context.parallelism == 1 else parts.repartition(1)
    figures = [f.max(name).alias(name) for name in ("newest_event_ns", "written_ns")]
    return one_task.mapInArrow(task, WRITTEN_SCHEMA).observe("written", f.count("*").alias("rows"), *figures)
