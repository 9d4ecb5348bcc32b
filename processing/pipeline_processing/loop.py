"""The driver's loop: it keeps the queries alive, hands on their figures and answers requests.

In:   the session, the service whose figures these are, a flag that ends it.
Out:  running queries. Each report of a query that finished a batch, or found nothing to do, is a beat.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from pipeline_queue.brokers import open_broker
from pipeline_queue.clock import SystemClock
from pipeline_queue.errors import QueueError
from pipeline_queue.service import Service

from pipeline_processing.backlog import prepared
from pipeline_processing.batch_runs import BatchRuns, batch_runs
from pipeline_processing.figures import Batch
from pipeline_processing.forwarding import forwarders
from pipeline_processing.jobs import JOBS
from pipeline_processing.plan import planned
from pipeline_processing.queries import Queries
from pipeline_processing.requests import Requests
from pipeline_processing.retention import start_forgetting
from pipeline_processing.samples import Samples
from pipeline_processing.settings import ProcessingSettings
from pipeline_processing.spark.reports import Reports

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROUND_S = 0.25

log = logging.getLogger(__name__)


def run(spark: SparkSession, settings: ProcessingSettings, service: Service, stop: threading.Event) -> None:
    """Return when `stop` is set, with every query stopped."""
    reports = Reports()
    spark.streams.addListener(reports)
    queries = Queries(spark, planned(JOBS.values(), settings, now_ns=time.time_ns()), prepared)
    runs = batch_runs(spark, JOBS.values(), settings, SystemClock())
    for each in runs:
        each.start(service, stop)
    start_forgetting(settings.store_urls, stop)
    try:
        Loop(settings, service, queries, reports, runs).run(stop)
    finally:
        spark.streams.removeListener(reports)
        queries.stop()


class Loop:
    """The loop."""

    def __init__(
        self,
        settings: ProcessingSettings,
        service: Service,
        queries: Queries,
        reports: Reports,
        runs: Sequence[BatchRuns],
    ) -> None:
        self._settings, self._service, self._queries, self._reports = settings, service, queries, reports
        self._runs, self._handing_on = runs, forwarders(queries.kept)
        self._figures = Figures(service)

    def run(self, stop: threading.Event) -> None:
        for each in self._handing_on:
            each.start(stop, self._service.count_out)
        while not stop.is_set():
            try:
                self._serve(stop)
            except QueueError as error:
                log.warning("%s", error)
                self._queries.look_after(time.monotonic())
                stop.wait(1.0)

    def _serve(self, stop: threading.Event) -> None:
        with closing(open_broker(self._settings.queue_url)) as broker:
            requests, samples = (
                Requests(broker, SystemClock(), self._runs, self._handing_on),
                Samples(broker, SystemClock()),
            )
            while not stop.is_set():
                self._queries.look_after(time.monotonic())
                batches, idle = self._reports.taken()
                self._figures.add(batches)
                if batches or idle:
                    self._service.beat(self._doing())
                    for each in self._runs:
                        each.streams_run()
                samples.note(batches, self._queries)
                requests.note(batches, self._queries)
                requests.answer(self._queries, wait_s=ROUND_S)

    def _doing(self) -> str:
        running = sum(kept.runs for kept in self._queries.kept)
        others = [*self._handing_on, *self._runs]
        troubles = [*self._queries.troubles(), *(trouble for each in others for trouble in each.troubles())]
        return "; ".join([f"{running} of {len(self._queries.kept)} queries run", *troubles])[:1000]


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
