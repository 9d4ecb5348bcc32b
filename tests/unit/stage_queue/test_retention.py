"""What the SQLite log forgets when its owner asks it to, by a clock that stands where it is put."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pipeline_queue.brokers import Message
from pipeline_queue.brokers.sqlite import SqliteBroker
from pipeline_queue.clock import ManualClock
from pipeline_queue.topics import CENSUS_POPULATION

CENTURY_S = 100 * 366 * 24 * 3600


@pytest.mark.parametrize(("retention_s", "left"), [(None, {0: 0}), (3600, {0: 3}), (CENTURY_S, {0: 0})])
def test_a_topic_forgets_what_is_beyond_its_retention_and_without_one_nothing(
    tmp_path: Path, retention_s: int | None, left: dict[int, int]
) -> None:
    clock = ManualClock(0)
    topic = replace(CENSUS_POPULATION, retention_s=retention_s)
    broker = SqliteBroker(tmp_path, clock=clock)
    broker.create([topic])
    broker.publish(topic.name, [Message(value=b"%d" % number) for number in range(3)])
    clock.sleep(CENTURY_S)
    gone = broker.expire(topic.name)
    assert (broker.begin_offsets(topic.name), gone) == (left, left[0])


def test_a_topic_that_is_declared_anew_is_kept_as_it_is_declared_now(tmp_path: Path) -> None:
    clock = ManualClock(0)
    broker = SqliteBroker(tmp_path, clock=clock)
    broker.create([replace(CENSUS_POPULATION, retention_s=3600)])
    broker.publish(CENSUS_POPULATION.name, [Message(value=b"1")])
    broker.create([CENSUS_POPULATION])
    clock.sleep(CENTURY_S)
    assert broker.expire(CENSUS_POPULATION.name) == 0
