"""The streaming queries of one application: one for each job and store, kept alive.

In:   jobs, stores, and the time, which the driver's loop hands in.
Out:  running queries. One that fails is started again after a pause that doubles from 1 s to 30 s while it keeps
      failing, so a store that comes back is written again by itself, and its query catches up from its own checkpoint.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline_processing.errors import SparkStopped
from pipeline_processing.jobs.job import Context, Job
from pipeline_processing.settings import ProcessingSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming import StreamingQuery

PAUSE_S_MIN, PAUSE_S_MAX = 1.0, 30.0
STEADY_S = 60.0
"""Who ran that long before failing begins with the shortest pause again."""
CREATED = "created_us"
REASON_LENGTH = 300
PYTHON_ERROR = re.compile(r"(?!org\.|java\.|scala\.)(([a-z_]\w*\.)+[A-Z]\w*|[A-Z]\w*(Error|Exception)): ")

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Kept:
    """One query, whether it runs at the moment or not."""

    job: Job
    context: Context
    query: StreamingQuery | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    failures: int = 0
    trouble: str | None = None

    @property
    def runs(self) -> bool:
        return self.query is not None and self.query.isActive


class Queries:
    """All queries of the application."""

    def __init__(self, spark: SparkSession, kept: Iterable[Kept]) -> None:
        self._spark = spark
        self.kept = list(kept)

    def look_after(self, now: float) -> None:
        """Start what should run and does not; `now` is monotonic, in seconds. Raises SparkStopped when none ever can."""
        for kept in self.kept:
            if kept.query is not None and not kept.query.isActive:
                _note_failure(kept, reason_of(kept.query.exception()), now)
            if kept.query is None and now >= kept.start_at:
                self._start(kept, now)

    def of(self, job: str) -> list[Kept]:
        return [kept for kept in self.kept if kept.job.name == job]

    def troubles(self) -> list[str]:
        """One sentence for each query that does not run."""
        return [f"{kept.context.query_name} waits: {kept.trouble}" for kept in self.kept if kept.trouble]

    def stop(self) -> None:
        for kept in self.kept:
            if kept.query is not None:
                try:
                    kept.query.stop()
                except Exception as error:  # whatever Spark says now, its JVM ends next
                    log.debug("stopping %s: %s", kept.context.query_name, error)

    def _start(self, kept: Kept, now: float) -> None:
        self._spark.sparkContext.setLocalProperty("spark.scheduler.pool", kept.context.query_name)
        try:
            kept.query = kept.job.start(self._spark, kept.context)
        except Exception as error:  # Spark raises many kinds; each means that this query did not start
            if self._spark.sparkContext._jsc.sc().isStopped():
                raise SparkStopped from error
            _note_failure(kept, reason_of(error), now)
            return
        kept.started_at, kept.trouble = now, None
        log.info("%s runs: %s into %s", kept.context.query_name, kept.job.topic, kept.context.store_url)


def planned(jobs: Iterable[Job], settings: ProcessingSettings, *, now_ns: int) -> Iterator[Kept]:
    """A query for each job and store. Its version base lies in its checkpoint folder and stays."""
    for job in jobs:
        for url in settings.store_urls:
            name = f"{job.name}-{store_name(url)}"
            folder = settings.checkpoint_dir / name
            context = Context(
                query_name=name,
                queue_url=settings.queue_url,
                store_url=url,
                checkpoint=folder / "spark",
                first_version=_created_us(folder, now_ns),
                trigger_s=settings.trigger_s,
                records_max=settings.records_per_trigger,
                parallelism=settings.parallelism,
                watermark_s=settings.watermark_s,
                durability=settings.durability,
            )
            yield Kept(job=job, context=context)


def store_name(url: str) -> str:
    """Short, and another for another store: a store that is new to a job gets all that the queue still holds."""
    return f"{urlsplit(url).scheme}-{hashlib.sha256(url.encode()).hexdigest()[:6]}"


def reason_of(error: object) -> str:
    """The line of a Spark error that a person wants: how its last Python traceback ends, else its first line."""
    lines = str(error).splitlines()
    telling = [line for line in lines if PYTHON_ERROR.match(line)] or [line for line in lines if line.strip()][:1]
    return telling[-1].strip()[:REASON_LENGTH] if telling else "it ended without a reason"


def _note_failure(kept: Kept, reason: str, now: float) -> None:
    steady = kept.query is not None and now - kept.started_at > STEADY_S
    kept.failures = 1 if steady else kept.failures + 1
    pause_s = min(PAUSE_S_MIN * 2 ** (kept.failures - 1), PAUSE_S_MAX)
    kept.query, kept.start_at, kept.trouble = None, now + pause_s, reason
    log.warning("%s failed and starts again in %.0f s: %s", kept.context.query_name, pause_s, reason)


def _created_us(folder: Path, now_ns: int) -> int:
    """When this checkpoint was made, µs since the epoch: the first to ask decides, for ever."""
    path = folder / CREATED
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        with beside.open("w") as file:
            file.write(str(now_ns // 1000))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    return int(path.read_text())
