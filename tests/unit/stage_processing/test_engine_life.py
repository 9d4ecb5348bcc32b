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
