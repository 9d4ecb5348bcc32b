"""Monitoring: when it samples, and what a sample is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import pytest
from pipeline_input.monitoring import MonitoringSettings, samples
from pipeline_input.vmstat import Counters
from pipeline_queue.brokers.protocol import Record
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import decode, encode
from pipeline_queue.events import Event
from pipeline_queue.settings import BadSetting, filled
from pipeline_queue.topics import MONITORING

SECOND_NS = 1_000_000_000
NOON_NS = 1_795_348_800 * SECOND_NS
AT_REST = Counters(
    monotonic_ns=0,
    running=1,
    blocked=0,
    swap_used_kib=0,
    free_kib=1000,
    buffers_kib=10,
    cache_kib=100,
    swapped_in_pages=0,
    swapped_out_pages=0,
    paged_in_kib=0,
    paged_out_kib=0,
    interrupts=0,
    context_switches=0,
    user_s=0.0,
    system_s=0.0,
    idle_s=0.0,
    wait_s=0.0,
    stolen_s=0.0,
)


def ticking(clock: ManualClock) -> Callable[[], Counters]:
    """A machine with 250 interrupts and 40 KiB written a second, and one processor a quarter busy."""

    def read() -> Counters:
        since_s = (clock.now_ns() - NOON_NS) / SECOND_NS
        return replace(
            AT_REST,
            monotonic_ns=clock.now_ns() - NOON_NS,
            interrupts=round(250 * since_s),
            paged_out_kib=round(40 * since_s),
            user_s=since_s / 4,
            idle_s=since_s * 3 / 4,
        )

    return read


def taken(clock: ManualClock, source: Iterator[object], count: int) -> list[Event]:
    return list(islice((event for batch in source for event in batch), count))


def test_a_sample_comes_each_interval_and_the_first_after_one() -> None:
    clock = ManualClock(NOON_NS)
    source = samples(filled(MonitoringSettings, interval_s=2), clock, "p", ticking(clock))
    assert [(e.time_ns - NOON_NS) // SECOND_NS for e in taken(clock, source, 4)] == [2, 4, 6, 8]


def test_a_sample_is_about_the_time_since_the_last() -> None:
    clock = ManualClock(NOON_NS)
    (event,) = taken(clock, samples(filled(MonitoringSettings), clock, "p", ticking(clock)), 1)
    assert (getattr(event, "in"), event.bo, event.us, event.id, event.free) == (250, 40, 25.0, 75.0, 1000)


def test_kept_waiting_it_leaves_samples_out_and_the_next_is_a_true_average() -> None:
    clock = ManualClock(NOON_NS)
    source = samples(filled(MonitoringSettings), clock, "p", ticking(clock))
    taken(clock, source, 1)
    clock.sleep(30.4)
    late, next_one = taken(clock, source, 2)
    seen = [(e.seq, (e.time_ns - NOON_NS) / SECOND_NS, getattr(e, "in")) for e in (late, next_one)]
    assert seen == [(1, 31.4, 250), (2, 32.0, 250)]


def test_while_it_waits_for_a_long_interval_it_yields_at_least_twice_a_second() -> None:
    clock = ManualClock(NOON_NS)
    source = samples(filled(MonitoringSettings, interval_s=60), clock, "p", ticking(clock))
    yields = sum(1 for _ in islice(source, 119))
    assert (yields, clock.now_ns() - NOON_NS) == (119, 59_500_000_000)


def test_a_sample_is_a_sound_event_of_its_topic() -> None:
    clock = ManualClock(NOON_NS)
    events = taken(clock, samples(filled(MonitoringSettings, host="box"), clock, "p", ticking(clock)), 3)
    record = Record(topic="monitoring", partition=0, offset=0, append_time_ns=clock.now_ns(), value=encode(events))
    assert decode(MONITORING, record).events == events


def test_an_interval_of_nothing_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITORING_INTERVAL_S", "0")
    with pytest.raises(
        BadSetting, match=r"MONITORING_INTERVAL_S is '0': input should be greater than or equal to 0\.1"
    ):
        filled(MonitoringSettings)
