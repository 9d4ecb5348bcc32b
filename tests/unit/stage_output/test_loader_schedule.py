"""When the loader loads: the times come by hand from its three settings."""

from __future__ import annotations

from pipeline_output.loader.schedule import Schedule

NS_PER_S = 1_000_000_000
NOW_NS = 1_700_000_000 * NS_PER_S


def schedule() -> Schedule:
    return Schedule(interval_s=300, min_interval_s=10, backlog_events=1000)


def due(of: Schedule, *, after_s: float, waiting: int = 0) -> bool:
    return of.is_due(NOW_NS + round(after_s * NS_PER_S), waiting)


def test_the_first_load_is_due_at_once() -> None:
    assert due(schedule(), after_s=0)


def test_the_next_one_is_due_after_the_interval_and_not_before() -> None:
    loaded = schedule()
    loaded.loaded(NOW_NS)
    assert [due(loaded, after_s=s, waiting=999) for s in (0, 10, 299.9, 300, 301)] == [False, False, False, True, True]


def test_a_backlog_is_due_as_soon_as_the_least_interval_is_over() -> None:
    loaded = schedule()
    loaded.loaded(NOW_NS)
    assert [due(loaded, after_s=s, waiting=1000) for s in (0, 9.9, 10)] == [False, False, True]


def test_failures_wait_longer_each_time_and_half_a_minute_at_most() -> None:
    failing, at_s, waits = schedule(), 0, []
    for _ in range(7):
        failing.failed(NOW_NS + at_s * NS_PER_S)
        waits.append(next(s for s in range(100) if failing.may_try(NOW_NS + (at_s + s) * NS_PER_S)))
        at_s += waits[-1]
    assert waits == [1, 2, 5, 10, 30, 30, 30]


def test_after_a_failure_the_load_is_due_when_it_may_be_tried_whatever_waits() -> None:
    failing = schedule()
    failing.loaded(NOW_NS)
    failing.failed(NOW_NS)
    assert [due(failing, after_s=s) for s in (0, 0.9, 1)] == [False, False, True]


def test_a_success_ends_the_patience() -> None:
    recovered = schedule()
    recovered.failed(NOW_NS)
    recovered.loaded(NOW_NS)
    assert (recovered.may_try(NOW_NS), due(recovered, after_s=1)) == (True, False)


def test_a_clock_that_is_set_back_a_day_delays_a_load_by_an_interval_at_most() -> None:
    loaded = schedule()
    loaded.loaded(NOW_NS + 86_400 * NS_PER_S)
    assert [due(loaded, after_s=s) for s in (0, 299, 300)] == [False, False, True]


def test_a_clock_that_is_set_back_a_day_delays_a_further_try_by_its_wait_at_most() -> None:
    failing = schedule()
    failing.failed(NOW_NS + 86_400 * NS_PER_S)
    assert [failing.may_try(NOW_NS + s * NS_PER_S) for s in (0, 1)] == [False, True]


def test_a_clock_that_is_set_ahead_loads_once_and_then_waits() -> None:
    loaded = schedule()
    loaded.loaded(NOW_NS)
    assert due(loaded, after_s=86_400)
    loaded.loaded(NOW_NS + 86_400 * NS_PER_S)
    assert not due(loaded, after_s=86_401)
