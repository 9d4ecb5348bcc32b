"""A task on the queue that forgets silent groups, closes their windows, and holds no more than it may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from crashing_engines import Machine, comes, sums
from pipeline_processing.engine.limits import Limits
from pipeline_queue.catalog import topics
from pipeline_queue.clock import ManualClock

SUM = """
stream
    |from()
        .groupBy('host')
    |cumulativeSum('value')
        .as('sum')
    |httpOut('sum')
"""
IDLE = """
stream
    |from()
        .idle(10s)
    |cumulativeSum('value')
        .as('sum')
    |httpOut('sum')
"""
DAY_S = 86_400


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    clock = ManualClock(1_000_000 * 10**9)
    with closing(Machine(tmp_path, SUM, clock=clock, limits=Limits(forget_after_s=7 * DAY_S))) as machine:
        machine.broker().create(topics().values())
        yield machine


def later(machine: Machine, days: float) -> None:
    machine.clock.sleep(days * DAY_S)


def run_and_stop(machine: Machine) -> None:
    """For a round at least: a task that is stopped while it begins leaves what it found."""
    master = machine.engine()
    assert master.snapshot_task("sum")
    master.stop_task("sum")


def test_a_group_that_was_silent_for_so_long_begins_anew_and_its_result_is_gone(machine: Machine) -> None:
    first = machine.engine()
    machine.write_lines("cpu,host=a value=1 1", "cpu,host=b value=2 1")
    assert comes(lambda: sums(first) == [1.0, 2.0])
    first.stop_task("sum")
    later(machine, 4)
    second = machine.engine()
    machine.write_lines("cpu,host=b value=2 2")
    assert comes(lambda: sums(second) == [1.0, 4.0])
    second.stop_task("sum")
    later(machine, 4)
    run_and_stop(machine)
    third = machine.engine()
    assert comes(lambda: sums(third) == [4.0])
    machine.write_lines("cpu,host=a value=1 3", "cpu,host=b value=2 3")
    assert comes(lambda: sums(third) == [6.0, 1.0])


def test_a_group_is_not_silent_whose_points_a_task_that_was_away_has_not_read(machine: Machine) -> None:
    first = machine.engine()
    machine.write_lines("cpu,host=a value=1 1")
    assert comes(lambda: sums(first) == [1.0])
    first.stop_task("sum")
    later(machine, 8)
    machine.write_lines("cpu,host=a value=2 2")
    second = machine.engine()
    assert comes(lambda: sums(second) == [3.0])
    second.stop_task("sum")
    assert sums(machine.engine()) == [3.0]


def test_what_was_forgotten_stays_so_after_a_crash(machine: Machine) -> None:
    first = machine.engine()
    machine.write_lines("cpu,host=a value=1 1")
    assert comes(lambda: sums(first) == [1.0])
    first.stop_task("sum")
    later(machine, 8)
    run_and_stop(machine)
    machine.engine()
    second = machine.engine()
    machine.write_lines("cpu,host=a value=2 2")
    assert comes(lambda: sums(second) == [2.0])


def test_after_a_crash_a_silent_group_was_told_of_when_it_was_before(machine: Machine) -> None:
    machine.script = IDLE
    first = machine.engine()
    machine.write_lines("cpu value=1 5000000000")
    assert comes(lambda: sums(first) == [1.0])
    steps = first._life("sum").task
    machine.clock.sleep(10)
    assert comes(lambda: steps.steps == 2)  # a barrier of 15 s
    machine.write_lines("cpu value=2 7000000000")
    assert comes(lambda: bool(first.dropped("sum")))

    def meanwhile() -> None:
        machine.clock.sleep(3600)
        machine.write_lines("cpu value=4 20000000000")

    second = machine.engine(meanwhile=meanwhile)
    assert comes(lambda: sums(second) == [5.0])


def test_points_of_more_groups_than_there_may_be_are_dropped_and_the_task_says_why(machine: Machine) -> None:
    machine.limits = Limits(groups_max=3)  # one is that of all points, before they are grouped
    first = machine.engine()
    machine.write_lines(*(f"cpu,host={host} value=1 1" for host in "abcd"), "cpu,host=a value=2 2")
    assert comes(lambda: sums(first) == [3.0, 1.0])
    reason = "the point is of a new group, and the task has 3 groups, as many as TASKS_GROUPS_MAX allows"
    assert first.dropped("sum") == {"from1": {reason: 2}}


def test_a_task_that_holds_more_than_it_may_stops_says_so_and_keeps_its_last_snapshot(machine: Machine) -> None:
    machine.limits = Limits(state_bytes_max=20_000)
    first = machine.engine()
    machine.write_lines("cpu,host=a value=1 1")
    assert comes(lambda: sums(first) == [1.0])
    first.stop_task("sum")
    second = machine.engine()
    machine.write_lines(*(f"cpu,host={host:04} value=1 1" for host in range(1000)))
    assert comes(lambda: len(sums(second)) == 1001)
    life = second._life("sum")
    second.stop_task("sum")
    assert life.error.startswith("StateTooLarge: its state of 1,002 groups has ")
    assert life.error.endswith("TASKS_STATE_BYTES_MAX allows 20,000; allow more, or let the script hold less")
    machine.limits = Limits()
    third = machine.engine()
    assert comes(lambda: len(sums(third)) == 1001)
