"""The loader's own figures, by event type, for Prometheus.

In:   the status of each type, and what each turn loaded.
Out:  gauges in the service's registry; `pipeline load status` shows the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge

from pipeline_output.loader.status import NS_PER_S, Status

GAUGES = {
    "lag_events": "Events on the queue that are not loaded yet",
    "lag_seconds": "How long the oldest of them waits",
    "last_timestamp_seconds": "When something was loaded last, since the epoch",
    "events": "Events that the table took since ever, repeats among them",
    "dead": "Dead letters since ever: lines that are no events, and rows that the database refused",
    "gone": "Messages since ever that retention took before they were loaded",
}


class Figures:
    """May be told from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauges = {
            name: Gauge(f"pipeline_load_{name}", doc, ["type"], registry=registry) for name, doc in GAUGES.items()
        }

    def show(self, found: Iterable[Status]) -> None:
        for each in found:
            self.show_lag(each.type, each.lag_events)
            self._set("lag_seconds", each.type, each.lag_s)
            self._set("last_timestamp_seconds", each.type, each.loaded_at_ns / NS_PER_S)
            self._set("events", each.type, each.events)
            self._set("dead", each.type, each.dead)
            self._set("gone", each.type, each.gone)

    def show_lag(self, of_type: str, events: int) -> None:
        self._set("lag_events", of_type, events)

    def _set(self, name: str, of_type: str, value: float) -> None:
        self._gauges[name].labels(of_type).set(value)
