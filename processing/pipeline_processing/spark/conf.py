"""How Spark is set up, each setting with its reason.

In:   the service's settings.
Out:  the JVM, started with them; what Spark's Python workers find in their environment.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from pathlib import Path

from pipeline_processing.settings import ProcessingSettings
from pipeline_processing.spark.jvm import Jvm, java_command

APPLICATION = "pipeline"
LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")
ARCHIVES = Path(sysconfig.get_path("data")) / "share" / "pipeline"
QUIET = "-Xlog:disable"
"""The JVM warns of each class that an archive leaves out, and of an archive that does not fit."""
_THRIFTY = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Micro-batches run too much different code too seldom for the second compiler ever to pay for itself."""
WORKER_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}
"""Arrays here are short: threads of numpy would cost memory in each worker and save nothing."""


def started_jvm(settings: ProcessingSettings, *options: str) -> Jvm:
    """The JVM of the driver, with `options` beside ours; it needs 1.5 s until PySpark can connect."""
    os.environ.update(WORKER_ENVIRONMENT | {"PYSPARK_PYTHON": sys.executable})
    jars = [settings.jars_dir] if settings.jars_dir else []
    return Jvm([*_jvm_options(settings), *options], spark_conf(settings), jars)


def spark_conf(settings: ProcessingSettings) -> dict[str, str]:
    """Spark's settings, each with its reason."""
    conf = {
        "spark.master": settings.spark_master,
        "spark.app.name": APPLICATION,
        "spark.scheduler.mode": "FAIR",
        "spark.ui.enabled": str(settings.spark_ui_port > 0).lower(),
        "spark.ui.port": str(settings.spark_ui_port),
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": settings.driver_host,
        "spark.driver.bindAddress": "127.0.0.1" if settings.local else "0.0.0.0",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.shuffle.partitions": str(settings.parallelism),
        # The loop beats when a trigger reports, also when it found nothing; by default that is told each 10 s only.
        "spark.sql.streaming.noDataProgressEventInterval": "2000",
        # Stateful streaming refuses adaptive plans, with a warning for each query.
        "spark.sql.adaptive.enabled": "false",
        # One decodes thousands of small records or a few large blocks at a time, whichever fills it first.
        "spark.sql.execution.arrow.maxRecordsPerBatch": "2000",
        # A trigger without data would only run a batch to drop old state; the next one with data does that too.
        "spark.sql.streaming.noDataMicroBatches.enabled": "false",
        # How many finished batches can be looked at again. Spark keeps 100 of each file by default.
        "spark.sql.streaming.minBatchesToRetain": "10",
        # Every catch-up window is one group: beyond the default of 128 Spark would sort instead of hash.
        "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "100000",
        # Decoding what hosts measured takes 7 columns and gives 20; a step of more than 25 makes Spark warn that it shortens
        # the plan that it shows.
        "spark.sql.debug.maxToStringFields": "100",
        "spark.python.daemon.module": "pipeline_processing.spark.daemon",
        # A micro-batch costs planning and files, not rows. Together these took one from 370 ms of CPU to 250 (2 busy
        # cores): plans are interpreted, for compiling Java for some hundred rows never pays;
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        # without its native library Hadoop starts a process, `chmod`, for each file that it makes: so no checksum
        # files. A checkpoint's files are written beside and renamed, so none is ever read half.
        "spark.sql.streaming.checkpoint.fileChecksum.enabled": "false",
        "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
        # What Spark keeps for its pages, by default of a thousand batches.
        "spark.sql.ui.retainedExecutions": "20",
        "spark.ui.retainedJobs": "20",
        "spark.ui.retainedStages": "40",
        "spark.ui.retainedTasks": "100",
        "spark.sql.streaming.ui.retainedProgressUpdates": "20",
        "spark.sql.streaming.numRecentProgressUpdates": "5",
    }
    return conf | ({} if settings.local else _cluster_conf(settings))


def _cluster_conf(settings: ProcessingSettings) -> dict[str, str]:
    conf = {
        "spark.cores.max": str(settings.cores_max),
        "spark.executor.memory": settings.executor_memory,
        "spark.executor.extraJavaOptions": " ".join([*_THRIFTY, f"-Dlog4j2.configurationFile={LOG_SETTINGS}"]),
        **{f"spark.executorEnv.{name}": value for name, value in WORKER_ENVIRONMENT.items()},
    }
    return conf | ({"spark.executor.extraClassPath": f"{settings.jars_dir}/*"} if settings.jars_dir else {})


def _jvm_options(settings: ProcessingSettings) -> list[str]:
    return [
        f"-Xmx{settings.driver_memory}",
        *_THRIFTY,
        # Stopping a query over a Python data source overflowed the default 1 MiB in a regular expression.
        "-Xss4m",
        f"-Dlog4j2.configurationFile={LOG_SETTINGS}",
        *_shared_classes(),
    ]


def archive_path() -> Path:
    """Where Spark's classes lie as this Java wants them in memory, if `archive` was run."""
    home = Path(java_command()).resolve().parents[1]
    release = home / "release"
    java = f"{home} {release.read_text() if release.exists() else ''}"
    return ARCHIVES / f"spark-{hashlib.sha256(java.encode()).hexdigest()[:8]}.jsa"


def _shared_classes() -> list[str]:
    path = archive_path()
    return [f"-XX:SharedArchiveFile={path}", QUIET] if path.exists() else []
