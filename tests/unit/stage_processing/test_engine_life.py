"""A task on the queue through stops and crashes: what it holds and says is what it would without them.

A crash is a life whose files are copied as they are: what it does at its end, the next one does not see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree

import pytest
from pipeline_processing.engine.live import Live
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.engine.world import World
from pipeline_processing.points.reading import Reader
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.brokers import Message, Term
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.catalog import topics
from pipeline_queue.codec import decode
from pipeline_queue.points.block import Origin, messages
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.topics import ALERTS, POINTS
from waiting import PATIENCE_S, until

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
ORIGIN = Origin("db", "rp")


@dataclass
class Machine:
    """A queue that outlives engines, and a folder that each takes over from the one before."""

    folder: Path
    log: MemoryLog = field(default_factory=MemoryLog)
    masters: list[TaskMaster] = field(default_factory=list)
    opened: list[Live] = field(default_factory=list)

    def broker(self) -> MemoryBroker:
        return MemoryBroker(self.log)

    def engine(self, *, version: int = 1) -> TaskMaster:
        """Another one, after a crash of the one before."""
        folder = self.folder / str(len(self.masters))
        if self.masters:
            copytree(self.folder / str(len(self.masters) - 1), folder)
            self.masters[-1].close()
        return self._begun(folder, version=version)

    def holder(self, epoch: int) -> TaskMaster:
        """One that has taken over, while the one before knows nothing of it."""
        return self._begun(self.folder / "shared", term=Term(name="store.sum", epoch=epoch))

    def _begun(self, folder: Path, *, version: int = 1, term: Term | None = None) -> TaskMaster:
        live = Live(
            open_broker=self.broker,
            folder=folder,
            reader=Reader(),
            open_outlets=lambda definition: World(
                definition, open_broker=self.broker, allowed=lambda _: False, influx_url=""
            ),
            snapshot_interval_s=3600.0,
        )
        master = TaskMaster(live)
        self.opened.append(live)
        self.masters.append(master)
        definition = TaskDefinition(
            id="sum", type="stream", script=SUM, dbrps=(("db", "rp"),), vars={}, version=version, term=term
        )
        master.start_task(master.new_task(definition))
        return master

    def write(self, *values: int, first: int = 0) -> None:
        lines = "".join(f"cpu value={value} {first + at}\n" for at, value in enumerate(values))
        (batch,) = Parser().parse(lines.encode(), now_ns=0).batches
        self.broker().publish(POINTS.name, list(messages(ORIGIN, batch)))

    def alerts(self) -> list[str]:
        records = self.broker().read(ALERTS.name, self.broker().begin_offsets(ALERTS.name))
        return [event.event_id for record in records for event in decode(ALERTS, record).events]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    machine.broker().create(topics().values())
    yield machine
    for master in machine.masters:
        master.close()
    for live in machine.opened:
        live.close()


def sums(master: TaskMaster) -> list[float]:
    return [each["values"][-1][-1] for each in master.series("sum", "sum")]


def comes(ask: Callable[[], bool]) -> bool:
    return until(ask, PATIENCE_S, pause_s=0.01)


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
