"""Random numbers: the sequence, and the exact count in every second."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise, takewhile

import pytest
from pipeline_input.random_numbers import CATCH_UP_S_MAX, RandomNumbersSettings, batches, numbers
from pipeline_queue.clock import ManualClock
from pipeline_queue.events import Event
from pipeline_queue.settings import BadSetting, filled

SECOND_NS = 1_000_000_000
NOON_NS = 1_795_348_800 * SECOND_NS


def settings(**given: object) -> RandomNumbersSettings:
    return filled(RandomNumbersSettings, **given)


def events_until(clock: ManualClock, time_ns: int, **given: object) -> Iterator[Event]:
    source = batches(settings(**given), clock, "random-numbers-test")
    for batch in takewhile(lambda _: clock.now_ns() <= time_ns, source):
        yield from batch


def per_second(events: Iterator[Event]) -> Counter[int]:
    return Counter(event.time_ns // SECOND_NS * SECOND_NS - NOON_NS for event in events)


def test_the_same_seed_gives_the_same_numbers() -> None:
    first, again = numbers(settings(seed=7)), numbers(settings(seed=7))
    assert list(islice(first, 1000)) == list(islice(again, 1000))


def test_another_seed_gives_other_numbers() -> None:
    first, other = numbers(settings(seed=7)), numbers(settings(seed=8))
    assert list(islice(first, 10)) != list(islice(other, 10))


def test_the_numbers_do_not_depend_on_when_they_are_made() -> None:
    at_noon = events_until(ManualClock(NOON_NS), NOON_NS + 3 * SECOND_NS, rate=10)
    later = events_until(ManualClock(NOON_NS + 123_456_789), NOON_NS + 5 * SECOND_NS, rate=10)
    assert [e.value for e in islice(at_noon, 20)] == [e.value for e in islice(later, 20)]


@pytest.mark.parametrize("rate", [1, 7, 100, 999, 1000, 1001, 100_000])
def test_every_whole_second_holds_exactly_the_rate(rate: int) -> None:
    clock = ManualClock(NOON_NS - 300_000_000)
    counts = per_second(events_until(clock, NOON_NS + 3 * SECOND_NS + 50_000_000, rate=rate))
    assert {at: counts[at] for at in (0, SECOND_NS, 2 * SECOND_NS)} == dict.fromkeys(
        (0, SECOND_NS, 2 * SECOND_NS), rate
    )


@pytest.mark.parametrize("rate", [1, 7, 999, 100_000])
def test_nothing_is_dated_before_the_first_whole_second(rate: int) -> None:
    clock = ManualClock(NOON_NS - 1)
    assert next(events_until(clock, NOON_NS + SECOND_NS, rate=rate)).time_ns == NOON_NS


def test_a_second_of_seven_is_dated_in_sevenths() -> None:
    events = events_until(ManualClock(NOON_NS), NOON_NS + 2 * SECOND_NS, rate=7)
    assert [event.time_ns - NOON_NS for event in islice(events, 8)] == [
        0,
        142_857_142,
        285_714_285,
        428_571_428,
        571_428_571,
        714_285_714,
        857_142_857,
        1_000_000_000,
    ]


@pytest.mark.parametrize("rate", [7, 1001, 100_000])
def test_sequence_numbers_and_times_only_grow(rate: int) -> None:
    events = list(events_until(ManualClock(NOON_NS), NOON_NS + 2 * SECOND_NS, rate=rate))
    times_ns = [event.time_ns for event in events]
    assert ([event.seq for event in events], times_ns) == (list(range(len(events))), sorted(times_ns))


@pytest.mark.parametrize("rate", [1, 100, 100_000])
def test_nothing_is_handed_over_before_its_time(rate: int) -> None:
    clock = ManualClock(NOON_NS)
    source = batches(settings(rate=rate), clock, "p")
    early = [e.seq for batch in islice(source, 100) for e in batch if e.time_ns >= clock.now_ns()]
    assert early == []


def test_after_a_stall_the_counts_are_still_exact() -> None:
    clock = ManualClock(NOON_NS)
    source = batches(settings(rate=1001), clock, "p")
    before = [event for batch in islice(source, 10) for event in batch]
    clock.sleep(30)
    after = [event for batch in islice(source, 80) for event in batch]
    counts = per_second(iter(before + after))
    assert {counts[second * SECOND_NS] for second in range(30)} == {1001}


def test_after_a_stall_it_hands_over_at_most_a_block_at_a_time() -> None:
    clock = ManualClock(NOON_NS)
    source = batches(settings(rate=100_000), clock, "p")
    next(source)
    clock.sleep(3)
    assert max(len(batch) for batch in islice(source, 40)) == 10_000


def test_after_a_long_sleep_a_second_is_whole_or_empty() -> None:
    clock = ManualClock(NOON_NS)
    source = batches(settings(rate=100), clock, "p")
    before = [event for batch in islice(source, 10) for event in batch]  # half of the first second
    clock.sleep(CATCH_UP_S_MAX + 3600)
    after = [event for batch in islice(source, 100) for event in batch]
    counts = per_second(iter(before + after))
    newest = max(counts)  # the one that was just begun
    assert {count for at, count in counts.items() if at != newest} == {100}


def test_a_long_sleep_leaves_no_gap_in_the_sequence_numbers() -> None:
    clock = ManualClock(NOON_NS)
    source = batches(settings(rate=100), clock, "p")
    before = [event.seq for batch in islice(source, 10) for event in batch]
    clock.sleep(CATCH_UP_S_MAX + 3600)
    after = [event.seq for batch in islice(source, 100) for event in batch]
    assert before + after == list(range(len(before) + len(after)))


def test_a_clock_set_back_repeats_no_second() -> None:
    clock = ManualClock(NOON_NS)
    source = batches(settings(rate=10), clock, "p")
    first = [event.time_ns for batch in islice(source, 15) for event in batch]
    clock.time_ns -= 5 * SECOND_NS
    times_ns = first + [event.time_ns for batch in islice(source, 40) for event in batch]
    assert len(times_ns) == len(set(times_ns))


def test_while_it_waits_it_yields_at_least_twice_a_second() -> None:
    clock = ManualClock(NOON_NS)
    source = batches(settings(rate=1), clock, "p")
    seen_ns = []
    for _ in islice(source, 20):
        seen_ns.append(clock.now_ns())
    assert max(after - before for before, after in pairwise(seen_ns)) <= SECOND_NS // 2


def test_normal_numbers_have_the_mean_and_the_deviation_asked_for() -> None:
    values = list(islice(numbers(settings(mean=10, spread=3)), 40_000))
    # the standard errors are 3/200 and 3/283: five of them
    assert (statistics.fmean(values), statistics.pstdev(values)) == (
        pytest.approx(10, abs=0.075),
        pytest.approx(3, abs=0.053),
    )


def test_uniform_numbers_fill_the_width_asked_for_and_no_more() -> None:
    values = list(islice(numbers(settings(distribution="uniform", mean=5, spread=2)), 10_000))
    assert (min(values) >= 3, max(values) <= 7, min(values) < 3.01, max(values) > 6.99) == (True, True, True, True)


def test_a_walk_starts_at_the_mean_and_steps_by_the_spread() -> None:
    values = list(islice(numbers(settings(distribution="walk", mean=20, spread=0.5)), 10_001))
    steps = [after - before for before, after in pairwise(values)]
    assert (values[0], statistics.pstdev(steps)) == (20, pytest.approx(0.5, abs=0.0177))


def test_up_to_1000_a_second_travel_one_a_message_and_above_in_blocks() -> None:
    assert [settings(rate=rate).events_per_message for rate in (1, 1000, 1001, 100_000)] == [1, 1, 10_000, 10_000]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RANDOM_NUMBERS_RATE", "0", "RANDOM_NUMBERS_RATE is '0': input should be greater than or equal to 1"),
        (
            "RANDOM_NUMBERS_RATE",
            "100001",
            "RANDOM_NUMBERS_RATE is '100001': input should be less than or equal to 100000",
        ),
        ("RANDOM_NUMBERS_RATE", "many", "RANDOM_NUMBERS_RATE is 'many': input should be a valid integer"),
        (
            "RANDOM_NUMBERS_DISTRIBUTION",
            "poisson",
            "RANDOM_NUMBERS_DISTRIBUTION is 'poisson': input should be 'normal'",
        ),
        ("RANDOM_NUMBERS_SPREAD", "0", "RANDOM_NUMBERS_SPREAD is '0': input should be greater than 0"),
        ("RANDOM_NUMBERS_MEAN", "nan", "RANDOM_NUMBERS_MEAN is 'nan': input should be a finite number"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as refused:
        settings()
    assert str(refused.value).startswith(said)
