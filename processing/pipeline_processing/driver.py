"""The service `processing`: one Spark application with all streaming queries.

In:      its settings; requests on `job-requests`.
Out:     rows in the stores, results on `job-results`, health, metrics and heartbeats.
Refuses: a wrong setting, a machine without Java.
SIGTERM and SIGINT end it, its JVM and its Python workers.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.settings import filled

from pipeline_processing.settings import ProcessingSettings
from pipeline_processing.spark.conf import started_jvm


def process() -> None:
    """Run until told to stop."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("pipeline_processing").setLevel(logging.INFO)
    logging.getLogger("kafka").setLevel(logging.ERROR)  # it warns of each coordinator that is not there yet
    settings = filled(ProcessingSettings)
    stop = threading.Event()
    _on_signal(leaving(stop))
    with started_jvm(settings) as jvm, Service(_options(settings)) as service:
        # Importing pyspark and numpy takes a second, in which the JVM starts.
        from pipeline_processing.loop import run
        from pipeline_processing.spark.session import connected

        with connected(jvm) as spark:
            _on_signal(lambda *_: stop.set())
            service.doing = "starting queries"
            run(spark, settings, service, stop)


def _on_signal(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def leaving(stop: threading.Event) -> Callable[[int, FrameType | None], object]:
    """A handler for the start: Spark takes seconds, and leaving at once loses nothing.

    An exit that is raised within a finaliser is lost, and Py4J has many of them; so `stop` remembers it.
    """

    def leave(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        sys.exit(0)

    return leave


def _options(settings: ProcessingSettings) -> ServiceOptions:
    return ServiceOptions(
        name="processing",
        stage="processing",
        queue_url=settings.queue_url,
        host=settings.health_host,
        port=settings.health_port,
    )
