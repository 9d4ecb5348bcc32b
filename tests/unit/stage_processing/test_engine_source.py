"""Where a task's points come from: the ring while it keeps up, the log when it does not, each portion once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pipeline_processing.engine.journal import Taken
from pipeline_processing.engine.life import _taken
from pipeline_processing.engine.portion import Portion
from pipeline_processing.engine.ring import Ring
from pipeline_processing.engine.source import Began, LogSource
from pipeline_queue.brokers import Message, Record
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.errors import OffsetGone
from pipeline_queue.topics import POINTS

TOPIC = POINTS.name


class Block:
    """Of one row."""

    database, retention_policy = "db", "rp"

    def __len__(self) -> int:
        return 1


def portion(partition: int, offset: int) -> Portion:
    return Portion(topic=TOPIC, partition=partition, offset=offset, block=Block())


def decoded(record: Record) -> Sequence[Portion]:
    return [portion(record.partition, record.offset)]


def places(portions: Sequence[Portion]) -> list[tuple[int, int]]:
    return [(each.partition, each.offset) for each in portions]


def ring(*offsets: int, rows_max: int = 100) -> Ring:
    """Of partition 0, which begins at 5."""
    made = Ring(rows_max=rows_max)
    made.begins_at({(TOPIC, 0): 5, (TOPIC, 1): 0})
    for offset in offsets:
        made.append(portion(0, offset))
    return made


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog()
    broker = MemoryBroker(log)
    broker.create([POINTS])
    for number in range(8):
        broker.publish(TOPIC, [Message(key=None, value=b"%d" % number)])
    return log


def source(log: MemoryLog, of: Ring, at: int) -> LogSource:
    return LogSource(
        of,
        Began(positions={(TOPIC, 0): at}, ends={(TOPIC, 0): at}),
        open_broker=lambda: MemoryBroker(log),
        decode=decoded,
    )


def test_the_ring_gives_what_follows_the_position_and_of_the_tasks_places_alone() -> None:
    of = ring(5, 6, 7)
    of.append(portion(1, 0))
    cursor, found = of.read(0, {(TOPIC, 0): 6}, rows=10, wait_s=0)
    assert (cursor, places(found)) == (4, [(0, 6), (0, 7)])


def test_the_ring_gives_no_more_than_about_what_is_asked_and_goes_on_from_there() -> None:
    of, at = ring(5, 6, 7), {(TOPIC, 0): 5}
    cursor, first = of.read(0, at, rows=2, wait_s=0)
    _, rest = of.read(cursor, at, rows=2, wait_s=0)
    assert (places(first), places(rest)) == ([(0, 5), (0, 6)], [(0, 7)])


def test_who_is_behind_the_ring_has_fallen_out() -> None:
    assert ring(5, 6, 7, 8, rows_max=2).read(0, {(TOPIC, 0): 6}, rows=10, wait_s=0) is None
    assert ring(5, 6, 7, 8, rows_max=2).read(0, {(TOPIC, 0): 7}, rows=10, wait_s=0) is not None


def test_a_task_that_is_behind_reads_the_log_and_then_the_ring_each_portion_once(log: MemoryLog) -> None:
    of = source(log, ring(5, 6, 7), 2)
    found = [each for _ in range(3) for each in of.read(rows=10, wait_s=0)]
    assert (places(found), of.positions) == ([(0, offset) for offset in range(2, 8)], {(TOPIC, 0): 8})


def test_a_task_whose_place_is_gone_goes_on_with_the_oldest_that_is_left(log: MemoryLog) -> None:
    log.begin[TOPIC, 0] = 4
    of = source(log, ring(), 2)
    found = [each for _ in range(3) for each in of.read(rows=10, wait_s=0)]
    assert places(found) == [(0, offset) for offset in range(4, 8)]


def test_a_task_has_caught_up_when_it_has_read_what_was_there_when_it_began(log: MemoryLog) -> None:
    began = Began(positions={(TOPIC, 0): 5}, ends={(TOPIC, 0): 8})
    of = LogSource(ring(5, 6, 7, 8), began, open_broker=lambda: MemoryBroker(log), decode=decoded)
    found = [of.has_caught_up()]
    for _ in range(2):
        of.read(rows=2, wait_s=0)
        found.append(of.has_caught_up())
    assert found == [False, False, True]


def test_a_step_is_read_again_exactly_as_it_was_taken(log: MemoryLog) -> None:
    of = source(log, ring(), 0)
    assert places(of.read_exactly([Taken(TOPIC, 0, 1, 4)])) == [(0, 1), (0, 2), (0, 3)]
    assert of.positions == {(TOPIC, 0): 4}


def test_a_step_of_which_something_is_gone_is_not_read_at_all(log: MemoryLog) -> None:
    log.begin[TOPIC, 0] = 3
    of = source(log, ring(), 0)
    with pytest.raises(OffsetGone):
        of.read_exactly([Taken(TOPIC, 0, 3, 5), Taken(TOPIC, 0, 1, 2)])
    assert of.positions == {(TOPIC, 0): 0}


def test_what_a_step_took_is_kept_in_its_order_across_partitions() -> None:
    taken = _taken([portion(0, 3), portion(0, 4), portion(1, 0), portion(0, 5)])
    assert taken == (Taken(TOPIC, 0, 3, 5), Taken(TOPIC, 1, 0, 1), Taken(TOPIC, 0, 5, 6))
