"""What a task says on a topic is there once, whenever it crashes and whenever the queue is away."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pipeline_processing.engine.once import Once, Way
from pipeline_queue.brokers import Message, Record, Term
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.errors import QueueUnavailable
from pipeline_queue.topics import ALERTS

TOPIC = ALERTS.name


class Unsteady(MemoryBroker):
    """Takes what it is given, and does not say so, once."""

    is_away = False

    def publish(self, topic: str, messages: Sequence[Message], *, term: Term | None = None) -> None:
        super().publish(topic, messages, term=term)
        if self.is_away:
            self.is_away = False
            raise QueueUnavailable("memory://test", doing="publishing", cause="away")


@pytest.fixture
def broker() -> Unsteady:
    broker = Unsteady(MemoryLog())
    broker.create([ALERTS])
    return broker


def once(broker: MemoryBroker, since: dict[int, int] | None = None) -> Once:
    return Once(Way(broker=broker, topic=TOPIC), lambda record: [record.value], since=since)


def say(it: Once, *ids: bytes) -> None:
    it.publish(ids, lambda new: [Message(value=ids[at]) for at in new])


def said(broker: MemoryBroker) -> list[bytes]:
    found: list[Record] = broker.read(TOPIC, broker.begin_offsets(TOPIC))
    return [record.value for record in found]


def test_what_an_earlier_life_said_after_its_snapshot_is_not_said_again(broker: Unsteady) -> None:
    first = once(broker)
    say(first, b"1")
    at = first.reached()
    say(first, b"2", b"3")
    second = once(broker, at)
    say(second, b"2", b"3", b"4")
    assert said(broker) == [b"1", b"2", b"3", b"4"]


def test_a_life_that_begins_when_the_topic_has_deleted_what_was_said_since_goes_by_what_is_left(
    broker: Unsteady,
) -> None:
    first = once(broker)
    at = first.reached()
    say(first, b"1", b"2")
    (place,) = [each for each, end in broker.end_offsets(TOPIC).items() if end]
    broker.trim(TOPIC, {place: 1})
    say(once(broker, at), b"2", b"3")
    assert said(broker) == [b"2", b"3"]


def test_a_snapshot_in_the_middle_of_repeating_looks_back_as_far_as_the_one_before(broker: Unsteady) -> None:
    first = once(broker)
    at = first.reached()
    say(first, b"1", b"2")
    second = once(broker, at)
    say(second, b"1")
    third = once(broker, second.reached())
    say(third, b"2", b"3")
    assert said(broker) == [b"1", b"2", b"3"]


def test_a_snapshot_after_all_is_repeated_looks_back_no_further(broker: Unsteady) -> None:
    first = once(broker)
    at = first.reached()
    say(first, b"1", b"2")
    second = once(broker, at)
    say(second, b"1", b"2")
    assert second.reached() == broker.end_offsets(TOPIC)


def test_an_attempt_of_unknown_outcome_is_not_repeated_where_it_came_through(broker: Unsteady) -> None:
    it = once(broker)
    say(it, b"1")
    broker.is_away = True
    with pytest.raises(QueueUnavailable):
        say(it, b"2")
    say(it, b"2", b"3")
    assert said(broker) == [b"1", b"2", b"3"]
