"""A topic as a frame, from Kafka through Spark's connector or from the embedded log through our data source.

In:      a queue URL, a topic; of a stream, how many records a trigger may bring.
Out:     a frame of records.RECORD_SCHEMA, from the oldest kept record on: one that streams, or all that there is now.
Refuses: other queues (NotStreamable).
Records that retention took before they were read are a gap that the driver counts, in both: a demo that was off for
longer than retention must start again, and a stopped query would not bring them back.
"""

from __future__ import annotations

from typing import TypeVar

from pipeline_queue.codec import REPEATED
from pyspark.sql import DataFrame, DataFrameReader, SparkSession
from pyspark.sql.streaming import DataStreamReader

from pipeline_processing.errors import NotStreamable
from pipeline_processing.spark.log_source import FORMAT, QueueLog

REPEATED_COLUMN = f"coalesce(exists(headers, header -> header.key = '{REPEATED[0]}'), false) AS repeated"
"""Kafka's connector gives null for a record without headers."""
APPENDED = "unix_micros(timestamp) * 1000 AS append_time_ns"
KAFKA_COLUMNS = ("topic", "partition", "offset", APPENDED, "key", "value", REPEATED_COLUMN)
Reader = TypeVar("Reader", DataFrameReader, DataStreamReader)


def stream(spark: SparkSession, url: str, topic: str, *, records_max: int, tasks: int) -> DataFrame:
    """All records of `topic`, at most about `records_max` per trigger, in at most `tasks` partitions."""
    scheme, _, rest = url.partition("://")
    match scheme:
        case "kafka":
            return _from_kafka(spark, rest, topic, records_max).coalesce(tasks)
        case "sqlite":
            return _from_log(spark, url, topic, records_max, tasks)
        case _:
            raise NotStreamable(url)


def everything(spark: SparkSession, url: str, topic: str, *, tasks: int) -> DataFrame:
    """All records that `topic` holds when the frame is first computed, in at most `tasks` partitions."""
    scheme, _, rest = url.partition("://")
    match scheme:
        case "kafka":
            reader = _kafka(spark.read, rest, topic).option("endingOffsets", "latest")
            return reader.load().selectExpr(*KAFKA_COLUMNS).coalesce(tasks)
        case "sqlite":
            return _log(spark, spark.read, url, topic, tasks).load()
        case _:
            raise NotStreamable(url)


def _from_kafka(spark: SparkSession, servers: str, topic: str, records_max: int) -> DataFrame:
    reader = _kafka(spark.readStream, servers, topic).option("maxOffsetsPerTrigger", records_max)
    return reader.load().selectExpr(*KAFKA_COLUMNS)


def _from_log(spark: SparkSession, url: str, topic: str, records_max: int, tasks: int) -> DataFrame:
    return _log(spark, spark.readStream, url, topic, tasks).option("records_max", records_max).load()


def _kafka(reader: Reader, servers: str, topic: str) -> Reader:
    return (
        reader.format("kafka")
        .option("kafka.bootstrap.servers", servers)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .option("failOnDataLoss", "false")
        .option("includeHeaders", "true")
    )


def _log(spark: SparkSession, reader: Reader, url: str, topic: str, tasks: int) -> Reader:
    spark.dataSource.register(QueueLog)
    return reader.format(FORMAT).option("url", url).option("topic", topic).option("tasks", tasks)
