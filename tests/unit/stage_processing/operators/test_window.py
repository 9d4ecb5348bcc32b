"""Windows by hand, and as a law: they are those of an oracle that works point by point."""

from __future__ import annotations

import random

import pytest
from pipeline_processing.operators.window import Window
from window_frames import SECOND_NS, B, P, run
from window_oracle import Rule, windows

DAY_NS = 86_400 * SECOND_NS


def points_at(*seconds: int) -> list[P]:
    return [P(time_ns=second * SECOND_NS, fields={"v": second}) for second in seconds]


def emitted(window: Window, points: list[P]) -> list[tuple[int, list[int]]]:
    """Each window's time and values, in seconds."""
    return [(b.tmax_ns // SECOND_NS, [fields["v"] for _, fields, _ in b.points]) for b in run(window, points)]


def seconds(**names: int) -> dict[str, int]:
    return {f"{name}_ns": value * SECOND_NS for name, value in names.items()}


def test_a_window_comes_out_with_the_first_point_past_its_end_and_that_point_moves_the_next_end() -> None:
    window = Window(**seconds(period=10, every=10))
    assert emitted(window, points_at(3, 7, 15, 20, 25, 40)) == [(13, [3, 7]), (25, [15, 20]), (35, [25])]


def test_an_aligned_window_ends_at_multiples_of_every() -> None:
    window = Window(**seconds(period=10, every=10), align=True)
    assert emitted(window, points_at(3, 7, 15, 20, 41)) == [(10, [3, 7]), (20, [15]), (30, [20])]


def test_weeks_are_aligned_to_mondays_as_the_year_1_began_on_one() -> None:
    window = Window(period_ns=7 * DAY_NS, every_ns=7 * DAY_NS, align=True)
    points = [P(time_ns=day * DAY_NS) for day in (0, 9)]  # a Thursday; 4 days later the week ends
    assert [b.tmax_ns // DAY_NS for b in run(window, points)] == [4]


def test_a_window_that_is_to_be_full_waits_for_its_first_period() -> None:
    window = Window(**seconds(period=10, every=5), fill_period=True)
    assert emitted(window, points_at(0, 5, 9, 10, 16)) == [(10, [0, 5, 9]), (15, [5, 9, 10])]


def test_where_every_is_0_each_point_gives_the_period_that_it_ends() -> None:
    window = Window(**seconds(period=3))
    assert emitted(window, points_at(1, 2, 4, 4)) == [(1, [1]), (2, [1, 2]), (4, [2, 4]), (4, [2, 4, 4])]


def test_where_every_exceeds_the_period_a_window_may_be_empty() -> None:
    window = Window(**seconds(period=1, every=10))
    assert emitted(window, points_at(0, 10)) == [(10, [])]


def test_windows_by_count_overlap_and_have_their_last_points_time() -> None:
    window = Window(period_count=3, every_count=2)
    assert emitted(window, points_at(5, 4, 3, 2, 1, 0)) == [(4, [5, 4]), (2, [4, 3, 2]), (0, [2, 1, 0])]


def test_a_late_point_stays_behind_one_that_is_new_enough() -> None:
    window = Window(**seconds(period=10, every=10))
    assert emitted(window, points_at(0, 11, 2, 21)) == [(10, [0]), (21, [11, 2])]


def test_a_batch_has_its_groups_tags_and_the_measurement_of_the_groups_first_point() -> None:
    points = [
        P(time_ns=0, name="cpu", tags={"host": "a", "rack": "r"}, by=["host", "zone"]),
        P(time_ns=1, name="mem", tags={"host": "a"}, by=["host", "zone"]),
    ]
    (batch,) = run(Window(period_count=2, every_count=2), points)
    expected = [(0, {}, {"host": "a", "rack": "r"}), (1, {}, {"host": "a"})]
    assert batch == B(tmax_ns=1, name="cpu", tags={"host": "a", "zone": ""}, points=expected)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "non zero period"),
        ({"period_ns": 1, "period_count": 1}, "both"),
        ({"period_count": 1}, "everyCount"),
        ({"period_count": 1, "every_count": 1, "align": True}, "align"),
    ],
)
def test_a_window_of_nothing_or_of_two_kinds_is_refused(given: dict[str, int], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Window(**given)


STREAMS = 1000


def random_rule(dice: random.Random) -> Rule:
    if dice.random() < 0.3:
        return Rule(period_count=dice.randint(1, 7), every_count=dice.randint(1, 5), fill=dice.random() < 0.5)
    period = dice.choice([1, 3, 7, 10, 30])
    every = dice.choice([0, 1, 3, 7, period, period])
    return Rule(period=period, every=every, align=dice.random() < 0.5, fill=dice.random() < 0.3)


def random_points(dice: random.Random) -> list[P]:
    """Of up to four groups, with ties, gaps, and steps back of all sizes."""
    points, now = [], dice.randint(-50, 50)
    backwards, groups = dice.choice([0.0, 0.1, 0.4]), dice.randint(1, 4)
    for value in range(dice.randint(0, 120)):
        now += dice.choice([0, 1, 1, 2, 3, dice.choice([5, 40])])
        time = now - dice.randint(1, 25) if dice.random() < backwards else now
        points.append(P(time_ns=time, fields={"v": value}, tags={"g": str(dice.randrange(groups))}, by=["g"]))
    return points


def expected(points: list[P], rule: Rule) -> list[tuple[str, int, list[int]]]:
    found = []
    for group in {p.tags["g"] for p in points}:
        own = [(at, p) for at, p in enumerate(points) if p.tags["g"] == group]
        for at, (tmax, values) in windows([(p.time_ns, p.fields["v"]) for _, p in own], rule):
            found.append((own[at][0], group, tmax, values))
    return [rest for _, *rest in sorted(found)]


@pytest.mark.parametrize("seed", range(STREAMS))
def test_windows_are_those_of_the_oracle_whatever_the_borders_of_steps_and_restores(seed: int) -> None:
    dice = random.Random(seed)
    rule, points = random_rule(dice), random_points(dice)
    window = Window(
        period_ns=rule.period,
        every_ns=rule.every,
        align=rule.align,
        fill_period=rule.fill,
        period_count=rule.period_count,
        every_count=rule.every_count,
    )
    borders = sorted(dice.randint(0, len(points)) for _ in range(dice.randint(0, 6)))
    out = run(window, points, borders=borders)
    assert [[b.tags["g"], b.tmax_ns, [fields["v"] for _, fields, _ in b.points]] for b in out] == expected(points, rule)
