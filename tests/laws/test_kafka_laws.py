"""What holds for the Kafka broker when Kafka refuses, stands still, or is not there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import docker
import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from pipeline_queue.brokers import Broker, Message, Record, open_broker
from pipeline_queue.brokers.protocol import partition_of
from pipeline_queue.errors import QueueUnavailable
from pipeline_queue.topics import Topic
from waiting import PATIENCE_S, until

pytestmark = pytest.mark.engine


@pytest.fixture
def broker(kafka_url: str, topic: Topic) -> Iterator[Broker]:
    with closing(open_broker(kafka_url)) as opened:
        opened.create([topic])
        yield opened


def alter(kafka_url: str, topic: Topic, **configs: str) -> None:
    named = {name.replace("_", "."): value for name, value in configs.items()}
    with closing(KafkaAdminClient(bootstrap_servers=kafka_url.removeprefix("kafka://"))) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=named)])


@contextmanager
def standing_still(kafka_url: str) -> Iterator[None]:
    """Its container is frozen, as by SIGSTOP; connections stay open and nobody answers."""
    port = kafka_url.rpartition(":")[2]
    with closing(docker.from_env()) as engine:
        (container,) = [each for each in engine.containers.list() if f"'{port}'" in str(each.ports)]
        container.pause()
        try:
            yield
        finally:
            container.unpause()


def read_all(broker: Broker, topic: Topic) -> list[Record]:
    positions, ends, found = {0: 0, 1: 0, 2: 0}, broker.end_offsets(topic.name), []
    while positions != ends:
        for record in broker.read(topic.name, positions, wait_s=5):
            positions[record.partition] = record.offset + 1
            found.append(record)
    return found


def numbered(count: int) -> list[Message]:
    return [Message(key=b"%d" % (n % 7), value=b"%d" % n) for n in range(count)]


def publish_until_refused(broker: Broker, topic: Topic) -> None:
    """A record that arrives within its own millisecond is taken, and so is any before the new setting reached the log."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        broker.publish(topic.name, numbered(70))


def is_taken(broker: Broker, topic: Topic, message: Message) -> bool:
    try:
        broker.publish(topic.name, [message])
    except QueueUnavailable:
        return False
    return True


def test_after_a_refusal_the_same_broker_publishes_again_in_order(broker: Broker, kafka_url: str, topic: Topic) -> None:
    """With CreateTime and no tolerance each record's time is wrong; kafka-python's producer is then wedged."""
    alter(kafka_url, topic, message_timestamp_type="CreateTime", message_timestamp_before_max_ms="0")
    with pytest.raises(QueueUnavailable, match=r"InvalidTimestampError|InvalidRecordError|Timeout"):
        publish_until_refused(broker, topic)
    alter(kafka_url, topic, message_timestamp_type="LogAppendTime")
    assert until(lambda: is_taken(broker, topic, numbered(1)[0]), PATIENCE_S)  # the new setting reaches the log
    before = broker.end_offsets(topic.name)
    broker.publish(topic.name, numbered(700))
    found = [int(record.value) for record in read_all(broker, topic) if record.offset >= before[record.partition]]
    assert {key: [n for n in found if n % 7 == key] for key in range(7)} == {
        key: list(range(key, 700, 7)) for key in range(7)
    }


def test_a_refusal_in_one_partition_puts_nothing_twice_into_the_others(
    broker: Broker, kafka_url: str, topic: Topic
) -> None:
    alter(kafka_url, topic, max_message_bytes="2000")
    keys = {partition_of(b"%d" % n, 3): b"%d" % n for n in range(20)}
    probe = Message(key=keys[2], value=bytes(10_000))
    assert until(lambda: not is_taken(broker, topic, probe), PATIENCE_S)  # the new setting reaches the log
    large, small = Message(key=keys[0], value=bytes(10_000)), Message(key=keys[1], value=b"small")
    with pytest.raises(QueueUnavailable, match="MessageSizeTooLarge"):
        broker.publish(topic.name, [large, small])
    assert [record.value for record in read_all(broker, topic) if record.partition != 2] == [b"small"]


def test_a_kafka_that_stands_still_for_a_while_takes_each_message_once(
    broker: Broker, kafka_url: str, topic: Topic
) -> None:
    broker.publish(topic.name, numbered(7))
    waker = threading.Timer(3.0, lambda: still.__exit__(None, None, None))
    still = standing_still(kafka_url)
    still.__enter__()
    waker.start()
    for start in range(7, 700, 99):
        broker.publish(topic.name, numbered(700)[start : start + 99])
    waker.join()
    assert sorted(int(record.value) for record in read_all(broker, topic)) == list(range(700))


def test_a_kafka_that_stands_still_for_long_is_unavailable_and_later_takes_what_it_had_not(
    broker: Broker, kafka_url: str, topic: Topic
) -> None:
    broker.publish(topic.name, numbered(7))
    with standing_still(kafka_url), pytest.raises(QueueUnavailable, match="publishing on"):
        broker.publish(topic.name, numbered(14)[7:])
    broker.publish(topic.name, numbered(14)[7:])
    found = [int(record.value) for record in read_all(broker, topic)]
    # what was sent again may be there twice: the caller was told that its outcome is unknown
    assert (set(found), len(found) <= 21) == (set(range(14)), True)


def test_where_nothing_answers_the_queue_is_unavailable_and_says_where() -> None:
    said = r"the queue at `kafka://127\.0\.0\.1:9` did not answer while"
    with closing(open_broker("kafka://127.0.0.1:9")) as broker, pytest.raises(QueueUnavailable, match=said):
        broker.publish("monitoring", [Message(value=b"")])


def test_records_carry_kafkas_own_time(broker: Broker, kafka_url: str, topic: Topic) -> None:
    """Another client dates its record 1971; retention and lateness go by the append time all the same."""
    from kafka import KafkaProducer

    with closing(KafkaProducer(bootstrap_servers=kafka_url.removeprefix("kafka://"))) as producer:
        producer.send(topic.name, value=b"old", timestamp_ms=31_536_000_000).get(timeout=60)
    (record,) = read_all(broker, topic)
    assert abs(record.append_time_ns - time.time_ns()) < 60_000_000_000


def test_any_kafka_client_reads_our_records(broker: Broker, kafka_url: str, topic: Topic) -> None:
    broker.publish(topic.name, [Message(key=b"k", value=b'{"value":1}\n')])
    from kafka import KafkaConsumer

    consumer = KafkaConsumer(
        topic.name,
        bootstrap_servers=kafka_url.removeprefix("kafka://"),
        auto_offset_reset="earliest",
        consumer_timeout_ms=60_000,
    )
    with closing(consumer):
        assert next(iter(consumer)).value == b'{"value":1}\n'


def test_a_topic_without_retention_is_kept_for_ever(kafka_url: str, broker: Broker, topic: Topic) -> None:
    kept = replace(topic, name=f"{topic.name}-kept", retention_s=None)
    broker.create([kept])
    with closing(KafkaAdminClient(bootstrap_servers=kafka_url.removeprefix("kafka://"))) as admin:
        configs = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, kept.name)])
    assert configs["topic"][kept.name]["retention.ms"]["value"] == "-1"
