"""What a job is, and what a run of it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline_output.stores import Durability

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming import StreamingQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One query of a job, into one or several stores. Plain values only, because functions that Spark sends to
    executors carry them."""

    query_name: str
    queue_url: str
    store_urls: tuple[str, ...]
    checkpoint: Path
    first_version: int
    """When the checkpoint was made, µs since the epoch; a batch's version is this plus its number."""
    trigger_s: float = 1.0
    records_max: int = 10_000
    parallelism: int = 1
    watermark_s: int = 3600
    durability: Durability = "process"

    @property
    def waiting(self) -> Path:
        """Where rows lie for stores that are away."""
        return self.checkpoint.parent / "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A streaming job. `start(spark, context)` starts its query into the context's stores and returns at once."""

    name: str
    title: str
    topic: str
    table: str
    start: Callable[[SparkSession, Context], StreamingQuery]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a run of a batch job is told. Plain values only, as in Context."""

    queue_url: str
    now_ns: int
    """What its rows say of when they were computed."""
    tasks: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What a run of a batch job found: how many different events on each topic, and the rows of each table."""

    events: tuple[int, ...]
    dead: int
    rows: Mapping[str, pa.Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """A job with an end. `compute(spark, snapshot)` reads all that its topics hold; who calls it writes the rows."""

    name: str
    title: str
    topics: tuple[str, ...]
    tables: tuple[str, ...]
    compute: Callable[[SparkSession, Snapshot], Computed]
