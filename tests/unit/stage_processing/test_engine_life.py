"""A task on the queue through stops and crashes: what it holds and says is what it would without them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from crashing_engines import Machine, comes, sums
from pipeline_queue.brokers import Message
from pipeline_queue.catalog import topics
from pipeline_queue.topics import POINTS

SUM = """
stream
    |from()
        .measurement('cpu')
    |cumulativeSum('value')
        .as('sum')
    |httpOut('sum')
    |alert()
        .crit(lambda: "sum" > 5.0)
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with closing(Machine(tmp_path, SUM)) as machine:
        machine.broker().create(topics().values())
        yield machine


def test_a_crash_before_the_first_snapshot_loses_nothing(machine: Machine) -> None:
    first = machine.engine()
    machine.write(1, 2)
    assert comes(lambda: sums(first) == [3.0])
    second = machine.engine()
    assert comes(lambda: sums(second) == [3.0])


def test_a_task_begins_with_what_comes_after_it_was_started(machine: Machine) -> None:
    machine.write(1, 2)
    master = machine.engine()
    machine.write(4)
    assert comes(lambda: sums(master) == [4.0])


def test_alerts_that_were_recorded_before_a_crash_are_not_recorded_again(machine: Machine) -> None:
    machine.engine()
    machine.write(3, 3, 3)
    assert comes(lambda: len(machine.alerts()) == 2)
    second = machine.engine()
    machine.write(3)
    assert comes(lambda: sums(second) == [12.0] and len(machine.alerts()) >= 3)
    assert machine.alerts() == [f"sum.1.alert4.{cause}.0" for cause in (1, 2, 3)]


def test_a_stop_and_a_start_go_on_where_it_was(machine: Machine) -> None:
    first = machine.engine()
    machine.write(1, 2)
    assert comes(lambda: sums(first) == [3.0])
    first.stop_task("sum")
    machine.write(4)
    second = machine.engine()
    assert comes(lambda: sums(second) == [7.0])


def test_a_task_of_another_definition_begins_anew(machine: Machine) -> None:
    first = machine.engine()
    machine.write(1, 2)
    assert comes(lambda: sums(first) == [3.0])
    first.stop_task("sum")
    second = machine.engine(version=2)
    machine.write(4)
    assert comes(lambda: sums(second) == [4.0])


def test_a_record_that_is_no_block_stops_neither_the_tail_nor_the_task(machine: Machine) -> None:
    master = machine.engine()
    machine.write(1)
    machine.broker().publish(POINTS.name, [Message(key=None, value=b"no block")])
    machine.write(2)
    assert comes(lambda: sums(master) == [3.0])


def test_points_that_were_sent_again_count_once(machine: Machine) -> None:
    master = machine.engine()
    published = machine.write(1, 2)
    machine.repeat(published)
    machine.write(4)
    machine.repeat(published)
    machine.write(8)
    assert comes(lambda: sums(master) == [15.0])


def test_points_that_were_sent_again_count_though_the_first_attempt_did_not_arrive(machine: Machine) -> None:
    master = machine.engine()
    machine.repeat(machine.made(1))
    machine.write(4)
    assert comes(lambda: sums(master) == [5.0])


def test_points_that_were_sent_again_across_a_stop_count_once(machine: Machine) -> None:
    first = machine.engine()
    published = machine.write(1, 2)
    assert comes(lambda: sums(first) == [3.0])
    first.stop_task("sum")
    machine.repeat(published)
    second = machine.engine()
    machine.write(4)
    assert comes(lambda: sums(second) == [7.0])


def test_points_that_were_sent_again_across_a_crash_count_once_and_say_the_same(machine: Machine) -> None:
    first = machine.engine()
    machine.repeat(machine.write(6))
    machine.write(7)
    assert comes(lambda: sums(first) == [13.0] and len(machine.alerts()) == 2)
    before = machine.alerts()
    second = machine.engine()
    machine.write(1)
    assert comes(lambda: sums(second) == [14.0] and len(machine.alerts()) == 3)
    assert machine.alerts()[:2] == before


def test_tasks_that_are_in_the_middle_of_a_step_are_left_at_a_stop_that_does_not_wait_and_lose_nothing(
    machine: Machine,
) -> None:
    first = machine.engine()
    machine.write(1, 2)
    assert comes(lambda: sums(first) == [3.0])
    life = first._lives["sum"]
    with life.task.lock:  # so that its step takes as long as this does
        before = dict(life.source.positions)
        machine.write(4)
        assert comes(lambda: life.source.positions != before)
        first.close(within_s=0.0)
        assert life.executing
        second = machine.engine()
    assert comes(lambda: sums(second) == [7.0])


def test_an_alert_after_points_that_the_queue_has_no_more_is_another_than_those_that_were_lost(
    machine: Machine,
) -> None:
    machine.engine()
    machine.write(9)
    assert comes(lambda: len(machine.alerts()) == 1)
    ends = machine.broker().end_offsets(POINTS.name).items()
    second = machine.engine(
        meanwhile=lambda: machine.log.begin.update({(POINTS.name, each): end for each, end in ends})
    )
    machine.write(9)
    assert comes(lambda: sums(second) == [9.0])
    assert comes(lambda: len(machine.alerts()) == 2)
    assert len(set(machine.alerts())) == 2


def test_two_who_hold_a_task_at_once_say_each_thing_once_and_the_newer_one_goes_on(machine: Machine) -> None:
    first = machine.holder(1)
    machine.write(6, 1)
    assert comes(lambda: len(machine.alerts()) == 2)
    second = machine.holder(2)
    machine.write(1, 1, first=2)
    assert comes(lambda: not first.is_executing("sum"))
    assert "a newer one" in first.error("sum")
    assert comes(lambda: sums(second) == [9.0])
    assert comes(lambda: len(machine.alerts()) == 4)
    assert len(set(machine.alerts())) == 4


def test_who_abandons_a_task_leaves_it_as_the_next_holder_found_it(machine: Machine) -> None:
    first = machine.holder(1)
    machine.write(1, 2)
    assert comes(lambda: sums(first) == [3.0])
    first.abandon_task("sum")
    second = machine.holder(2)
    assert comes(lambda: sums(second) == [3.0])
    assert second.stats("sum")["node-stats"]["from1"]["collected"] == 2
