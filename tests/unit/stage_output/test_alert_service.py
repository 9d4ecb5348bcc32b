"""The service around the deliveries: it shows its figures, and waits for a queue that is away."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

import pytest
from pipeline_output.handlers.handler import as_it_is
from pipeline_output.handlers.outcomes import Figures
from pipeline_output.handlers.service import ShownFigures, run_until
from pipeline_output.handlers.settings import AlertSettings
from pipeline_queue.alerts import Alert, HandlerCall, Origin, as_event
from pipeline_queue.brokers import open_broker
from pipeline_queue.clock import SystemClock
from pipeline_queue.codec import blocks
from pipeline_queue.topics import ALERTS, DEAD_LETTERS, HEARTBEATS
from prometheus_client import CollectorRegistry

ROUNDS_MAX = 50


class StandingClock(SystemClock):
    """Nobody sleeps on it; what sleeps makes the queue's topics."""

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url

    def sleep(self, seconds: float) -> None:
        with_topics(self._queue_url)


def with_topics(queue_url: str) -> None:
    broker = open_broker(queue_url)
    broker.create([ALERTS, DEAD_LETTERS, HEARTBEATS])
    alert = Alert(
        event_id="e",
        task="t",
        node="alert2",
        alert_id="a",
        level="CRITICAL",
        message="m",
        at_ns=0,
        handlers=(HandlerCall(kind="log", arguments=("alerts.log",)),),
    )
    event = as_event(alert, Origin(producer="p", seq=0, time_ns=SystemClock().now_ns()))
    broker.publish(ALERTS.name, blocks(ALERTS, [event]))


def test_a_queue_that_is_not_there_yet_is_asked_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    queue_url = f"memory://{tmp_path.name}"
    settings = AlertSettings(queue_url=queue_url, state_dir=tmp_path / "state", log_dir=tmp_path)
    registry, rounds = CollectorRegistry(), itertools.count()

    def is_shown() -> bool:
        shown = registry.get_sample_value("pipeline_alerts_delivered", {"handler": "log"})
        return shown == 1.0 or next(rounds) > ROUNDS_MAX

    with caplog.at_level(logging.WARNING):
        run_until(is_shown, settings, StandingClock(queue_url), as_it_is, registry)
    assert (next(rounds) < ROUNDS_MAX, (tmp_path / "alerts.log").exists()) == (True, True)
    assert "alerts wait: no topic is called" in caplog.text


def test_figures_are_shown_by_handler_and_what_waits_no_more_is_not_shown() -> None:
    registry = CollectorRegistry()
    shown = ShownFigures(registry)
    none: dict[str, int] = {}
    first = Figures(delivered={"post": 5}, retried={"post": 1}, refused=none, repeated=none, pending={"log": 2})
    second = Figures(delivered={"post": 7, "log": 2}, retried={"post": 1}, refused=none, repeated=none, pending={})
    assert (shown.show(first), shown.show(second)) == (0, 4)
    asked = [("delivered", "post"), ("delivered", "log"), ("retried", "post"), ("pending", "log")]
    values = [registry.get_sample_value(f"pipeline_alerts_{name}", {"handler": kind}) for name, kind in asked]
    assert values == [7.0, 2.0, 1.0, None]
