"""The streaming queries of one application, kept alive.

In:   the plan, what prepares a query's context for its start, and the time, which the driver's loop hands in.
Out:  running queries. One that fails is started again after a pause that doubles from 1 s to 30 s while it keeps
      failing, so it goes on by itself, from its own checkpoint, when what it lacks is there again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline_processing.errors import SparkStopped
from pipeline_processing.jobs.job import Context, Job
from pipeline_processing.pauses import pause_after

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming import StreamingQuery

STEADY_S = 60.0
"""Who ran that long before failing begins with the shortest pause again."""
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

    def __init__(self, spark: SparkSession, kept: Iterable[Kept], prepare: Callable[[Context, str], Context]) -> None:
        self._spark = spark
        self._prepare = prepare
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
            kept.query = kept.job.start(self._spark, self._prepare(kept.context, kept.job.topic))
        except (
            Exception
        ) as error:  # Spark raises many kinds, the queue its own; each means that this query did not start
            if self._spark.sparkContext._jsc.sc().isStopped():
                raise SparkStopped from error
            _note_failure(kept, reason_of(error), now)
            return
        kept.started_at, kept.trouble = now, None
        log.info("%s runs: %s into %s", kept.context.query_name, kept.job.topic, ", ".join(kept.context.store_urls))


def reason_of(error: object) -> str:
    """The line of a Spark error that a person wants: how its last Python traceback ends, else its first line."""
    lines = str(error).splitlines()
    telling = [line for line in lines if PYTHON_ERROR.match(line)] or [line for line in lines if line.strip()][:1]
    return telling[-1].strip()[:REASON_LENGTH] if telling else "it ended without a reason"


def _note_failure(kept: Kept, reason: str, now: float) -> None:
    steady = kept.query is not None and now - kept.started_at > STEADY_S
    kept.failures = 1 if steady else kept.failures + 1
    pause_s = pause_after(kept.failures)
    kept.query, kept.start_at, kept.trouble = None, now + pause_s, reason
    log.warning("%s failed and starts again in %.0f s: %s", kept.context.query_name, pause_s, reason)
