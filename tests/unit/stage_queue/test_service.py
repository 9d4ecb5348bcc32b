"""A service's health and figures, without its threads."""

from __future__ import annotations

import time

import pytest
from pipeline_queue.clock import ManualClock
from pipeline_queue.service import Service, ServiceOptions

STALE_S = 10.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """The monotonic clock, which stands still until it is told to go on."""
    made = ManualClock(0)
    monkeypatch.setattr(time, "monotonic", lambda: made.now_ns() / 1e9)
    return made


@pytest.fixture
def service(clock: ManualClock) -> Service:
    return Service(ServiceOptions(name="box", stage="input", queue_url="memory://nowhere", stale_s=STALE_S))


def figures(service: Service) -> dict[str, float]:
    lines = (line.split() for line in service.metrics().decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def test_a_service_is_healthy_from_its_first_beat_on(service: Service) -> None:
    service.doing = "starting queries"
    before = service.trouble()
    service.beat()
    assert (before, service.trouble()) == ("its loop has not gone round yet; it is at: starting queries", None)


def test_a_loop_that_no_longer_goes_round_is_trouble_and_says_where_it_was(
    service: Service, clock: ManualClock
) -> None:
    service.beat("reading")
    clock.sleep(STALE_S + 1)
    assert service.trouble() == "its loop has not gone round for 11 s; it was at: reading"


def test_a_queue_that_takes_no_heartbeat_is_trouble_though_the_loop_goes_round(
    service: Service, clock: ManualClock
) -> None:
    clock.sleep(STALE_S + 1)
    service.beat()
    assert service.trouble() == "the queue at memory://nowhere has taken no heartbeat for 11 s"


def test_the_figures_count_up_and_the_lag_is_what_was_said_last(service: Service) -> None:
    for events in (1, 2):
        service.count_in(events)
        service.count_out(10 * events)
        service.count_dead(100 * events)
        service.count_late(1000 * events)
        service.set_lag(events)
    found = figures(service)
    names = ("events_in_total", "events_out_total", "events_dead_total", "events_late_total", "lag_events")
    assert [found[f"pipeline_{name}"] for name in names] == [3, 30, 300, 3000, 2]


def test_latencies_fall_into_their_buckets_and_none_is_negative(service: Service) -> None:
    for seconds in (-5.0, 0.004, 0.3):
        service.latency(seconds)
    found = figures(service)
    upto = [found[f'pipeline_latency_seconds_bucket{{le="{le}"}}'] for le in ("0.002", "0.005", "0.2", "0.5", "+Inf")]
    assert upto == [1, 2, 2, 3, 3]
