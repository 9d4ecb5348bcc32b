"""The service `processing`: one Spark application with all streaming queries.

In:      its settings; requests on `job-requests`.
Out:     rows in the stores, results on `job-results`, health, metrics and heartbeats.
Refuses: a wrong setting, a machine without Java.
It is healthy while a query finished a batch, or found nothing to do, lately. SIGTERM and SIGINT end it, its JVM and its
workers.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from types import FrameType

from pipeline_queue.brokers import open_broker
from pipeline_queue.clock import SystemClock
from pipeline_queue.errors import QueueError
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.settings import filled

from pipeline_processing.figures import Batch
from pipeline_processing.jobs import JOBS
from pipeline_processing.queries import Queries, planned
from pipeline_processing.requests import Requests
from pipeline_processing.settings import ProcessingSettings
from pipeline_processing.spark.reports import Reports
from pipeline_processing.spark.session import spark_session

ROUND_S = 0.25

log = logging.getLogger(__name__)


def process() -> None:
    """Run until told to stop."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("pipeline_processing").setLevel(logging.INFO)
    settings = filled(ProcessingSettings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)  # Spark takes seconds to start, and leaving then loses nothing
    with Service(_options(settings)) as service, spark_session(settings) as spark:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        reports = Reports()
        spark.streams.addListener(reports)
        queries = Queries(spark, planned(JOBS.values(), settings, now_ns=time.time_ns()))
        try:
            Driver(settings, service, queries, reports).run(stop)
        finally:
            spark.streams.removeListener(reports)
            queries.stop()


class Driver:
    """The loop."""

    def __init__(self, settings: ProcessingSettings, service: Service, queries: Queries, reports: Reports) -> None:
        self._settings, self._service, self._queries, self._reports = settings, service, queries, reports
        self._figures = Figures(service)

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._serve(stop)
            except QueueError as error:
                log.warning("%s", error)
                self._queries.look_after(time.monotonic())
                stop.wait(1.0)

    def _serve(self, stop: threading.Event) -> None:
        with closing(open_broker(self._settings.queue_url)) as broker:
            requests = Requests(broker, SystemClock())
            while not stop.is_set():
                self._queries.look_after(time.monotonic())
                batches, idle = self._reports.taken()
                self._figures.add(batches)
                if batches or idle:
                    self._service.beat(self._doing())
                requests.note(batches, self._queries)
                requests.answer(self._queries, wait_s=ROUND_S)

    def _doing(self) -> str:
        running = sum(kept.runs for kept in self._queries.kept)
        return "; ".join([f"{running} of {len(self._queries.kept)} queries run", *self._queries.troubles()])[:1000]


class Figures:
    """Several queries read the same events: a service's intake is that of the query that is furthest."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen = {name: Counter[str]() for name in ("events", "late", "dead")}
        self._lag: dict[str, int] = {}

    def add(self, batches: list[Batch]) -> None:
        for batch in batches:
            self._service.count_in(self._further("events", batch.query, batch.events))
            self._service.count_late(self._further("late", batch.query, batch.late))
            self._service.count_dead(self._further("dead", batch.query, batch.dead))
            self._service.count_out(batch.rows)
            self._lag[batch.query] = batch.lag
            self._service.set_lag(max(self._lag.values()))
            if batch.latency_s is not None:
                self._service.latency(batch.latency_s)
            _warn_of_loss(batch)

    def _further(self, name: str, query: str, count: int) -> int:
        seen = self._seen[name]
        before = max(seen.values(), default=0)
        seen[query] += count
        return max(0, seen[query] - before)


def _warn_of_loss(batch: Batch) -> None:
    if batch.gap:
        log.warning(
            "%s: retention took %d records before they were read; its windows lack them", batch.query, batch.gap
        )
    if batch.dropped:
        log.error("%s: %d partial windows came after WATERMARK_S and are lost; raise it", batch.query, batch.dropped)


def _options(settings: ProcessingSettings) -> ServiceOptions:
    return ServiceOptions(
        name="processing",
        stage="processing",
        queue_url=settings.queue_url,
        host=settings.health_host,
        port=settings.health_port,
    )


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
