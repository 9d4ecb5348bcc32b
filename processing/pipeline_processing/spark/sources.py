"""A topic as a streaming frame, from Kafka through Spark's connector or from the embedded log through our data source.

In:      a queue URL, a topic, how many records a trigger may bring.
Out:     a streaming frame of records.RECORD_SCHEMA, from the oldest kept record on.
Refuses: other queues (NotStreamable).
Records that retention took before they were read are a gap that the driver counts, in both: a demo that was off for
longer than retention must start again, and a stopped query would not bring them back.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from pipeline_processing.errors import NotStreamable
from pipeline_processing.spark.log_source import FORMAT, QueueLog


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


def _from_kafka(spark: SparkSession, servers: str, topic: str, records_max: int) -> DataFrame:
    records = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", servers)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .option("failOnDataLoss", "false")
        .option("maxOffsetsPerTrigger", records_max)
        .load()
    )
    return records.selectExpr(
        "topic", "partition", "offset", "unix_micros(timestamp) * 1000 AS append_time_ns", "key", "value"
    )


def _from_log(spark: SparkSession, url: str, topic: str, records_max: int, tasks: int) -> DataFrame:
    spark.dataSource.register(QueueLog)
    return (
        spark.readStream.format(FORMAT)
        .option("url", url)
        .option("topic", topic)
        .option("records_max", records_max)
        .option("tasks", tasks)
        .load()
    )
