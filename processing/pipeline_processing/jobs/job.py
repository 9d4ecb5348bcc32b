"""What a job is, and what a run of it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline_output.stores import Durability

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming import StreamingQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One query: a job into one store. Plain values only, because functions that Spark sends to executors carry
    them."""

    query_name: str
    queue_url: str
    store_url: str
    checkpoint: Path
    first_version: int
    """When the checkpoint was made, µs since the epoch; a batch's version is this plus its number."""
    trigger_s: float = 1.0
    records_max: int = 10_000
    parallelism: int = 1
    watermark_s: int = 3600
    durability: Durability = "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A streaming job. `start(spark, context)` starts its query into one store and returns at once."""

    name: str
    title: str
    topic: str
    table: str
    start: Callable[[SparkSession, Context], StreamingQuery]
