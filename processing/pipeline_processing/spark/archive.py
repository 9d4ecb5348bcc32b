"""Make Spark start faster on this machine: `python -m pipeline_processing.spark.archive`, once, when it is set up.

In:   the installed Spark and Java.
Out:  an archive of 160 MB beside the installed packages: the 20,000 classes that the jobs load, parsed and verified
      (class data sharing). With it the JVM takes 5.7 s of CPU until the first row instead of 9.1, and the first row
      comes after 8 to 10 s instead of 12 to 14 (2 cores, half busy). Making it runs the jobs on a few events, for half a
      minute.
After an update of Spark make it again: one of other jars is not used. Each Java has its own.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from pipeline_queue.brokers import open_broker
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_id, event_type
from pipeline_queue.topics import (
    CENSUS_INCOME,
    CENSUS_POPULATION,
    MONITORING,
    RANDOM_NUMBERS,
    TOPICS,
    VMSTAT_COLUMNS,
    Topic,
)
from pyspark.sql import SparkSession

from pipeline_processing.backlog import prepared
from pipeline_processing.jobs import JOBS, BatchJob, Snapshot
from pipeline_processing.plan import planned
from pipeline_processing.queries import Queries
from pipeline_processing.settings import ProcessingSettings
from pipeline_processing.spark.conf import QUIET, archive_path, started_jvm
from pipeline_processing.spark.reports import Reports
from pipeline_processing.spark.session import connected

BATCHES = 8
EVENTS = {
    RANDOM_NUMBERS: {"value": 0.0},
    MONITORING: {"host": "archive", **{column.name: 0 for column in VMSTAT_COLUMNS}},
}
"""What the streaming jobs read."""
WITHIN_S = 120.0
DUMPED_WITHIN_S = 120.0


def make_archive() -> None:
    """Run the jobs, and let the JVM write down at its end which classes it had."""
    archive = archive_path()
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.unlink(missing_ok=True)
    beside = archive.with_suffix(".new")
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder))
        jvm = started_jvm(settings, f"-XX:ArchiveClassesAtExit={beside}", QUIET)
        try:
            with connected(jvm) as spark:
                _run_batches(spark, settings)
                _compute(spark, settings)
        finally:
            jvm.stop(within_s=DUMPED_WITHIN_S)
    beside.replace(archive)


def _settings(folder: Path) -> ProcessingSettings:
    return ProcessingSettings(
        queue_url=f"sqlite://{folder}/queue",
        stores=f"disk://{folder}/disk,sqlite://{folder}/store.db",
        checkpoint_dir=folder / "checkpoints",
        spark_master="local[2]",
        driver_host="127.0.0.1",
        trigger_s=0.2,
    )


def _run_batches(spark: SparkSession, settings: ProcessingSettings) -> None:
    reports, seen = Reports(), 0
    spark.streams.addListener(reports)
    queries = Queries(spark, planned(JOBS.values(), settings, now_ns=time.time_ns()), prepared)
    deadline = time.monotonic() + WITHIN_S
    while seen < BATCHES and time.monotonic() < deadline:
        for topic, values in EVENTS.items():
            _publish(settings.queue_url, topic, **values)
        queries.look_after(time.monotonic())
        seen += len(reports.taken()[0])
        time.sleep(0.5)
    spark.streams.removeListener(reports)
    queries.stop()


def _compute(spark: SparkSession, settings: ProcessingSettings) -> None:
    """Each batch job, on an event of each topic."""
    _publish(settings.queue_url, CENSUS_POPULATION, year=2000, sex="female", age=0, people=1)
    place = {"year": 2013, "state": "Ohio", "state_id": 39, "region": "midwest"}
    _publish(settings.queue_url, CENSUS_INCOME, **place, income_group="<10000", share=1.0, households=1)
    for job in JOBS.values():
        if isinstance(job, BatchJob):
            job.compute(spark, Snapshot(queue_url=settings.queue_url, now_ns=time.time_ns()))


def _publish(queue_url: str, topic: Topic, **values: object) -> None:
    broker, now_ns = open_broker(queue_url), time.time_ns()
    broker.create(TOPICS.values())
    event = event_type(topic)(event_id=event_id("archive", now_ns), time_ns=now_ns, producer="archive", seq=0, **values)
    broker.publish(topic.name, blocks(topic, [event]))
    broker.close()


if __name__ == "__main__":
    make_archive()
