"""Queries that fail are started again; a stand-in for Spark's query says when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from pipeline_processing.errors import SparkStopped
from pipeline_processing.jobs import Context, Job
from pipeline_processing.plan import planned
from pipeline_processing.queries import Queries, reason_of
from pipeline_processing.settings import ProcessingSettings


@dataclass
class Query:
    """As much of a StreamingQuery as the keeper looks at."""

    isActive: bool = True  # noqa: N815 (the library's name)
    error: Exception | None = None

    def exception(self) -> Exception | None:
        return self.error

    def stop(self) -> None:
        self.isActive = False

    def fail(self, error: Exception) -> None:
        self.isActive, self.error = False, error


@dataclass
class Spark:
    """Starts stand-in queries, by name, and can be told to refuse."""

    started: dict[str, list[Query]] = field(default_factory=dict)
    refuses: bool = False
    pools: list[str] = field(default_factory=list)
    has_stopped: bool = False

    @property
    def _jsc(self) -> Spark:
        return self

    def sc(self) -> Spark:
        return self

    def isStopped(self) -> bool:  # noqa: N802 (the library's name)
        return self.has_stopped

    @property
    def sparkContext(self) -> Spark:  # noqa: N802 (the library's name)
        return self

    def setLocalProperty(self, _name: str, value: str) -> None:  # noqa: N802 (the library's name)
        self.pools.append(value)

    def start(self, context: Context) -> Query:
        if self.refuses:
            raise ValueError("no such format")
        self.started.setdefault(context.query_name, []).append(Query())
        return self.started[context.query_name][-1]


DISK, SQL = "disk:///d", "sqlite:///s.db"


@pytest.fixture
def spark() -> Spark:
    return Spark()


ONE, OTHER = "j-1", "k-1"


@pytest.fixture
def queries(spark: Spark, tmp_path: Path) -> Iterator[Queries]:
    jobs = [
        Job(name=name, title="", topic="t", table="t", start=lambda spark, context: spark.start(context))
        for name in ("j", "k")
    ]
    settings = ProcessingSettings(stores=f"{DISK}, {SQL}", checkpoint_dir=tmp_path)
    return Queries(spark, planned(jobs, settings, now_ns=5_000), lambda context, _topic: context)


def test_each_job_has_one_query_for_all_stores_in_a_pool_of_its_own(queries: Queries, spark: Spark) -> None:
    queries.look_after(now=0)
    assert (list(spark.started), spark.pools) == ([ONE, OTHER], [ONE, OTHER])
    assert [kept.context.store_urls for kept in queries.kept] == [(DISK, SQL)] * 2


def test_a_query_that_failed_starts_again_after_its_pause_and_the_other_goes_on(queries: Queries, spark: Spark) -> None:
    queries.look_after(now=0)
    spark.started[OTHER][0].fail(ValueError("gone"))
    counts = []
    for now in (10.0, 10.5, 11.0, 12.0):
        queries.look_after(now)
        counts.append((len(spark.started[ONE]), len(spark.started[OTHER])))
    assert counts == [(1, 1), (1, 1), (1, 2), (1, 2)]


def test_the_pause_doubles_to_thirty_seconds_and_a_steady_run_makes_it_short_again(
    queries: Queries, spark: Spark
) -> None:
    now, pauses = 0.0, []
    queries.look_after(now)
    for _ in range(7):
        spark.started[OTHER][-1].fail(ValueError("gone"))
        queries.look_after(now)
        pauses.append(queries.kept[1].start_at - now)
        now = queries.kept[1].start_at
        queries.look_after(now)
    spark.started[OTHER][-1].fail(ValueError("gone"))
    queries.look_after(now + 100)
    assert ([*pauses, queries.kept[1].start_at - now - 100]) == [1, 2, 4, 8, 16, 30, 30, 1]


def test_a_query_that_cannot_start_says_why_and_is_tried_again(queries: Queries, spark: Spark) -> None:
    spark.refuses = True
    queries.look_after(now=0)
    waiting = queries.troubles()
    spark.refuses = False
    queries.look_after(now=1)
    assert (waiting[0], queries.troubles()) == (f"{ONE} waits: no such format", [])


def test_a_query_starts_with_what_was_prepared_for_it_and_its_plan_stays(spark: Spark, tmp_path: Path) -> None:
    started: list[int] = []
    job = Job(
        name="j", title="", topic="t", table="t", start=lambda _spark, context: started.append(context.watermark_s)
    )
    plan = planned([job], ProcessingSettings(stores=DISK, checkpoint_dir=tmp_path), now_ns=5_000)
    queries = Queries(spark, plan, lambda context, topic: replace(context, watermark_s=len(topic)))
    queries.look_after(now=0)
    assert (started, queries.kept[0].context.watermark_s) == ([1], 3600)


def test_a_spark_that_was_stopped_from_outside_ends_the_service(queries: Queries, spark: Spark) -> None:
    spark.refuses = spark.has_stopped = True
    with pytest.raises(SparkStopped):
        queries.look_after(now=0)


def test_the_reason_of_a_spark_error_is_the_line_that_names_the_cause() -> None:
    cause = "pipeline_output.errors.StoreUnavailable: no disk"
    traceback = (
        f"Traceback (most recent call last):\n  File x\nOSError: full\n\nThe above:\n\n{cause}\n SQLSTATE: 38000"
    )
    epilogue = "\tat org.apache\norg.apache.X: again\n=== Streaming Query ===\nIdentifier: q"
    error = f"[STREAM_FAILED] Query [id = 1] terminated\n{traceback}\n{epilogue}"
    assert reason_of(error) == cause


def test_the_reason_of_an_error_of_spark_itself_is_its_first_line() -> None:
    assert reason_of("\n[NO_SUCH_FORMAT] kafka\n\tat org.apache.Spark") == "[NO_SUCH_FORMAT] kafka"


def test_stopping_stops_every_query(queries: Queries, spark: Spark) -> None:
    queries.look_after(now=0)
    queries.stop()
    assert not any(query.isActive for of_job in spark.started.values() for query in of_job)
