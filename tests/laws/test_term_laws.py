"""What holds for the terms of who may be replaced: one suite over memory, SQLite and Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pytest
from pipeline_queue.brokers import Broker, Message, Term, open_broker
from pipeline_queue.errors import TermOver
from pipeline_queue.topics import Topic


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.engine)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    match request.param:
        case "memory":
            return f"memory://{token_hex(8)}"
        case "sqlite":
            return f"sqlite://{tmp_path}/queue"
    return request.getfixturevalue("kafka_url")


@pytest.fixture
def broker(url: str, topic: Topic) -> Iterator[Broker]:
    with closing(open_broker(url)) as opened:
        opened.create([topic])
        yield opened


def said(broker: Broker, topic: Topic) -> list[bytes]:
    ends, found = broker.end_offsets(topic.name), []
    positions = broker.begin_offsets(topic.name)
    while any(positions[partition] < end for partition, end in ends.items()):
        records = broker.read(topic.name, positions, wait_s=5)
        found += [record.value for record in records]
        positions |= {record.partition: record.offset + 1 for record in records}
    return found


def over() -> None:
    raise TermOver("t", epoch=1)


def test_who_publishes_in_a_term_that_is_over_is_refused_and_changes_nothing(
    broker: Broker, url: str, topic: Topic
) -> None:
    """SQLite and memory know by the epochs, Kafka by the term's own look."""
    name = f"t-{token_hex(4)}"
    broker.begin_term(topic.name, Term(name=name, epoch=1))
    broker.publish(topic.name, [Message(key=b"k", value=b"first")], term=Term(name=name, epoch=1))
    broker.begin_term(topic.name, Term(name=name, epoch=2))
    with closing(open_broker(url)) as zombie, pytest.raises(TermOver, match="term 1 of"):
        zombie.publish(topic.name, [Message(key=b"k", value=b"zombie")], term=Term(name=name, epoch=1, look=over))
    broker.publish(topic.name, [Message(key=b"k", value=b"second")], term=Term(name=name, epoch=2))
    assert said(broker, topic) == [b"first", b"second"]


def test_a_term_concerns_its_own_name_and_topic_alone(broker: Broker, topic: Topic) -> None:
    name, other = f"t-{token_hex(4)}", replace(topic, name=f"{topic.name}-other")
    broker.create([other])
    broker.begin_term(topic.name, Term(name=name, epoch=2))
    broker.publish(topic.name, [Message(key=b"k", value=b"another")], term=Term(name=f"{name}-2", epoch=1))
    broker.publish(other.name, [Message(key=b"k", value=b"elsewhere")], term=Term(name=name, epoch=1))
    assert [said(broker, each) for each in (topic, other)] == [[b"another"], [b"elsewhere"]]


def test_a_term_that_is_over_is_not_begun_again(broker: Broker, url: str, topic: Topic) -> None:
    if url.startswith("kafka"):
        pytest.skip("Kafka keeps no terms")
    name = f"t-{token_hex(4)}"
    broker.begin_term(topic.name, Term(name=name, epoch=2))
    broker.begin_term(topic.name, Term(name=name, epoch=2))
    with pytest.raises(TermOver):
        broker.begin_term(topic.name, Term(name=name, epoch=1))
