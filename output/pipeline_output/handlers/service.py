"""The service `alerts`: deliveries with a heartbeat and figures, as a thread of `pipeline tasks`.

In:   settings, a clock, when to stop, what fills in URLs, and the registry of the service whose thread it is.
Out:  alerts delivered until `stopped()`; figures by handler in `/metrics` of that service. A queue or a state's disk that is away is asked again after a
      pause, and the heartbeat says so.
Raises BadSetting and DeliveriesTaken at the start.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import asdict

from pipeline_queue.brokers import Broker, open_broker
from pipeline_queue.clock import Clock
from pipeline_queue.errors import QueueError
from pipeline_queue.service import Service, ServiceOptions
from prometheus_client import CollectorRegistry, Gauge

from pipeline_output.handlers.deliveries import Deliveries
from pipeline_output.handlers.handler import Fill
from pipeline_output.handlers.outcomes import Figures
from pipeline_output.handlers.settings import AlertSettings

READ_WAIT_S = 0.5
PAUSE_S = 1.0
GAUGES = {
    "delivered": "Alerts that a handler delivered, since ever",
    "retried": "Attempts that failed and were made again, since ever",
    "refused": "Alerts that were given up, since ever",
    "repeated": "Alerts that came again on the queue and were not delivered again, since ever",
    "pending": "Alerts that wait for their handler",
}

log = logging.getLogger(__name__)


def run_until(
    stopped: Callable[[], bool], settings: AlertSettings, clock: Clock, fill: Fill, registry: CollectorRegistry
) -> None:
    options = ServiceOptions(
        name="alerts",
        stage="output",
        queue_url=settings.queue_url,
        host=settings.health_host,
        port=settings.health_port,
    )
    with Deliveries(settings, clock, fill=fill) as deliveries, Service(options) as service:
        shown = ShownFigures(registry)
        broker: Broker | None = None
        while not stopped():
            try:
                broker = broker or open_broker(settings.queue_url, durability=settings.durability)
                service.count_in(deliveries.read_on(broker, wait_s=READ_WAIT_S))
                figures = deliveries.figures()
            except (QueueError, sqlite3.Error) as trouble:
                log.warning("alerts wait: %s", trouble)
                service.doing = f"waiting: {trouble}"[:200]
                clock.sleep(PAUSE_S)
                continue
            service.count_out(shown.show(figures))
            waiting = sum(figures.pending.values())
            service.beat(f"delivering alerts, {waiting:,} wait for their handlers")
        if broker is not None:
            broker.close()


class ShownFigures:
    """The figures as gauges."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauges = {
            name: Gauge(f"pipeline_alerts_{name}", doc, ["handler"], registry=registry) for name, doc in GAUGES.items()
        }
        self._delivered: int | None = None

    def show(self, figures: Figures) -> int:
        """How many were delivered since the last call; none at the first one, which shows those of earlier processes."""
        by_name = asdict(figures)
        self._gauges["pending"].clear()
        for name, gauge in self._gauges.items():
            for kind, n in by_name[name].items():
                gauge.labels(kind).set(n)
        delivered = sum(figures.delivered.values())
        new = 0 if self._delivered is None else delivered - self._delivered
        self._delivered = delivered
        return new
