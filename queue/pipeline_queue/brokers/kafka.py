"""The broker of the stack: Apache Kafka through kafka-python.

A publish waits for acks=all with the idempotent producer, which puts nothing there twice while it lives. After an error
that the client does not retry it is of no more use (its sequence numbers have a hole), and kafka-python gives that
error to batches that Kafka has taken, too. So the producer is dropped with what it holds, and the caller, told by
QueueUnavailable that the outcome is unknown, sends again through a new one; what is there twice then has one event id.
Kafka stamps records itself (LogAppendTime), in milliseconds. A commit carries its epoch in the offset's metadata.
`durability=disk` needs a broker that flushes each message (`flush.messages=1` on the topics), which `create` asks for.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, OffsetOutOfRangeError, TopicAlreadyExistsError, UnknownTopicOrPartitionError
from kafka.producer.future import FutureRecordMetadata
from kafka.structs import OffsetAndMetadata

from pipeline_queue.brokers.protocol import (
    MESSAGE_OVERHEAD_BYTES,
    Durability,
    Message,
    Offsets,
    Record,
    Term,
    check_sizes,
    partition_of,
)
from pipeline_queue.errors import OffsetGone, QueueUnavailable, StaleEpoch, UnknownTopic
from pipeline_queue.topics import BLOCK_BYTES_MAX, Topic

REQUEST_BYTES_MAX = BLOCK_BYTES_MAX + MESSAGE_OVERHEAD_BYTES
ANSWER_WITHIN_S = 10
"""How long a call waits for the broker before it raises QueueUnavailable."""
SETTLED_WITHIN_S = ANSWER_WITHIN_S + 1
"""By then each batch is acknowledged, refused or expired; after a restart of Kafka some of kafka-python's just hang."""
SMALL_BATCH_BYTES = 256 * 1024
"""Single messages of one publish share requests up to this size; a block is a request of its own."""
NO_EPOCH = -1
FOR_EVER = -1
"""As `retention.ms`."""


class KafkaBroker:
    """See `Broker`; `addresses` are `host:port`. Connects when first used."""

    def __init__(self, addresses: Sequence[str], *, durability: Durability = "process") -> None:
        self._addresses = list(addresses)
        self._durability = durability
        self._producer: KafkaProducer | None = None
        self._admin: KafkaAdminClient | None = None
        self._readers: dict[str, _Reader] = {}
        self._groups: dict[str, KafkaConsumer] = {}
        self._partitions: dict[str, int] = {}

    def create(self, topics: Iterable[Topic]) -> None:
        with self._doing("making topics"):
            there = set(self._administrator().list_topics())
            for topic in topics:
                if topic.name not in there:
                    self._create_one(topic)

    def topics(self) -> list[str]:
        with self._doing("listing topics"):
            return sorted(name for name in self._administrator().list_topics() if not name.startswith("__"))

    def partitions(self, topic: str) -> int:
        if topic not in self._partitions:
            with self._doing(f"asking for the partitions of {topic}"):
                known = self._administrator().list_topics()
                if topic not in known:
                    raise UnknownTopic(topic, known=[name for name in known if not name.startswith("__")])
                (described,) = self._administrator().describe_topics([topic])
            self._partitions[topic] = len(described["partitions"])
        return self._partitions[topic]

    def publish(self, topic: str, messages: Sequence[Message], *, term: Term | None = None) -> None:
        check_sizes(topic, messages)
        self.partitions(topic)
        if term:
            term.look()
        with self._doing(f"publishing on {topic}"):
            self._send(topic, messages)

    def begin_term(self, topic: str, term: Term) -> None:
        """Kafka keeps none: a group for each name, asked before each publish, would cost more than what it prevents."""

    def read(self, topic: str, start: Offsets, *, wait_s: float = 0.0, limit: int = 10_000) -> list[Record]:
        self.partitions(topic)
        with self._doing(f"reading {topic}"):
            if topic not in self._readers:
                self._readers[topic] = _Reader(topic, KafkaConsumer(**self._consumer_options()))
            try:
                return self._readers[topic].read(start, wait_s=wait_s, limit=limit)
            except OffsetOutOfRangeError:
                self._readers.pop(topic).close()
        self._raise_gone(topic, start)
        time.sleep(wait_s)  # beyond the end: nothing is there yet
        return []

    def begin_offsets(self, topic: str) -> dict[int, int]:
        return self._offsets(topic, "beginning_offsets")

    def end_offsets(self, topic: str) -> dict[int, int]:
        return self._offsets(topic, "end_offsets")

    def offsets_at(self, topic: str, append_time_ns: int) -> dict[int, int]:
        ends = self.end_offsets(topic)
        time_ms = -(-append_time_ns // 1_000_000)
        with self._doing(f"looking up a time in {topic}"):
            found = self._asking(topic).offsets_for_times(dict.fromkeys(self._all(topic), time_ms))
        return {each.partition: at.offset if at else ends[each.partition] for each, at in sorted(found.items())}

    def commit(self, group: str, topic: str, offsets: Offsets, *, epoch: int = 0) -> None:
        with self._doing(f"committing {group} on {topic}"):
            newest = max((_epoch(kept) for kept in self._kept(group, topic).values()), default=NO_EPOCH)
            if epoch < newest:
                raise StaleEpoch(group, topic, epoch=epoch, newest=newest)
            self._of_group(group).commit(
                {
                    TopicPartition(topic, partition): OffsetAndMetadata(offset, f"epoch={epoch}", -1)
                    for partition, offset in offsets.items()
                }
            )

    def committed(self, group: str, topic: str) -> dict[int, int]:
        with self._doing(f"asking where {group} is on {topic}"):
            return {partition: kept.offset for partition, kept in self._kept(group, topic).items()}

    def close(self) -> None:
        self._drop_producer()
        consumers = [reader.consumer for reader in self._readers.values()] + list(self._groups.values())
        self._readers.clear()
        self._groups.clear()
        for consumer in consumers:
            consumer.close(autocommit=False)
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def _create_one(self, topic: Topic) -> None:
        configs = {
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(REQUEST_BYTES_MAX),
            "retention.ms": str(FOR_EVER if topic.retention_s is None else topic.retention_s * 1000),
        }
        if self._durability == "disk":
            configs["flush.messages"] = "1"
        new = NewTopic(name=topic.name, num_partitions=topic.partitions, replication_factor=-1, topic_configs=configs)
        try:
            self._administrator().create_topics([new], wait_for_metadata=True)
        except TopicAlreadyExistsError:
            return  # another process was faster

    def _send(self, topic: str, messages: Sequence[Message]) -> None:
        """Raise the first reason why not all were acknowledged; then the producer is gone too."""
        producer = self._producer = self._producer or KafkaProducer(**self._producer_options())
        count = self._partitions[topic]
        try:
            sent = [
                producer.send(
                    topic,
                    value=message.value,
                    key=message.key,
                    headers=list(message.headers),
                    partition=0 if message.key is None else partition_of(message.key, count),
                )
                for message in messages
            ]
            _settle(sent)
        except KafkaError:
            self._drop_producer()
            raise

    def _drop_producer(self) -> None:
        """Close it without sending what it still holds: that is sent again by whoever was not acknowledged."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer._sender.force_close()  # its own close waits for pending batches, and raises when they stay
            producer._sender.join(1.0)
            producer.close(timeout=0)

    def _administrator(self) -> KafkaAdminClient:
        if self._admin is None:
            self._admin = KafkaAdminClient(**self._client_options())
        return self._admin

    def _of_group(self, group: str) -> KafkaConsumer:
        if group not in self._groups:
            self._groups[group] = KafkaConsumer(group_id=group, **self._consumer_options())
        return self._groups[group]

    def _asking(self, topic: str) -> KafkaConsumer:
        """A consumer for questions of offsets; it reads nothing."""
        return self._of_group(f"pipeline-questions-{topic}")

    def _all(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, partition) for partition in range(self.partitions(topic))]

    def _offsets(self, topic: str, question: str) -> dict[int, int]:
        with self._doing(f"asking for the offsets of {topic}"):
            found: Mapping[TopicPartition, int] = getattr(self._asking(topic), question)(self._all(topic))
        return {each.partition: offset for each, offset in sorted(found.items())}

    def _kept(self, group: str, topic: str) -> dict[int, OffsetAndMetadata]:
        consumer = self._of_group(group)
        kept = {each.partition: consumer.committed(each, metadata=True) for each in self._all(topic)}
        return {partition: at for partition, at in kept.items() if at is not None and at.offset >= 0}

    def _raise_gone(self, topic: str, start: Offsets) -> None:
        begins = self.begin_offsets(topic)
        for partition, offset in start.items():
            if offset < begins[partition]:
                raise OffsetGone(topic, partition, offset=offset, begin=begins[partition])

    def _client_options(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": self._addresses,
            "client_id": "pipeline",
            "bootstrap_timeout_ms": ANSWER_WITHIN_S * 1000,
            "request_timeout_ms": ANSWER_WITHIN_S * 1000,
            "reconnect_backoff_max_ms": 1000,
        }

    def _producer_options(self) -> dict[str, Any]:
        return self._client_options() | {
            "acks": "all",
            "enable_idempotence": True,
            "request_timeout_ms": ANSWER_WITHIN_S * 500,
            "delivery_timeout_ms": ANSWER_WITHIN_S * 1000,
            "max_block_ms": ANSWER_WITHIN_S * 1000,
            "max_request_size": REQUEST_BYTES_MAX,
            "batch_size": SMALL_BATCH_BYTES,
            "metrics_enabled": False,
        }

    def _consumer_options(self) -> dict[str, Any]:
        return self._client_options() | {
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "max_partition_fetch_bytes": REQUEST_BYTES_MAX,
            "metrics_enabled": False,
        }

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        try:
            yield
        except UnknownTopicOrPartitionError as cause:
            raise UnknownTopic(what.rsplit(" ", 1)[-1], known=[]) from cause
        except OffsetOutOfRangeError:
            raise
        except KafkaError as cause:
            raise QueueUnavailable(f"kafka://{','.join(self._addresses)}", doing=what, cause=repr(cause)) from cause


def _settle(sent: Sequence[FutureRecordMetadata]) -> None:
    """Return when all are acknowledged; raise the first reason why one is not, at the latest after SETTLED_WITHIN_S."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    for future in sent:
        future.get(timeout=max(0.0, deadline - time.monotonic()))


class _Reader:
    """One topic's consumer, with the positions at which it stands: a seek would throw away what it fetched ahead."""

    def __init__(self, topic: str, consumer: KafkaConsumer) -> None:
        self._topic = topic
        self.consumer = consumer
        self._positions: dict[int, int] = {}

    def read(self, start: Offsets, *, wait_s: float, limit: int) -> list[Record]:
        has_moved = self._stand_at(start)
        found = self._poll(wait_s, limit)
        # The first poll from a new place only asks for what is there; one that does not wait never sees the answer.
        if not found and has_moved and self._is_behind(start):
            found = self._poll(ANSWER_WITHIN_S, limit)
        return found

    def _poll(self, wait_s: float, limit: int) -> list[Record]:
        polled = self.consumer.poll(timeout_ms=round(wait_s * 1000), max_records=limit)
        found = [_as_record(each) for of_partition in polled.values() for each in of_partition]
        self._positions.update({record.partition: record.offset + 1 for record in found})
        return found

    def _is_behind(self, start: Offsets) -> bool:
        ends = self.consumer.end_offsets([TopicPartition(self._topic, partition) for partition in start])
        return any(start[each.partition] < end for each, end in ends.items())

    def close(self) -> None:
        self.consumer.close(autocommit=False)

    def _stand_at(self, start: Offsets) -> bool:
        """Whether that was somewhere else."""
        has_moved = self._positions != start
        if self._positions.keys() != start.keys():
            self.consumer.assign([TopicPartition(self._topic, partition) for partition in start])
            self._positions = {}
        for partition, offset in start.items():
            if self._positions.get(partition) != offset:
                self.consumer.seek(TopicPartition(self._topic, partition), offset)
                self._positions[partition] = offset
        return has_moved


def _as_record(polled: Any) -> Record:
    return Record(
        topic=polled.topic,
        partition=polled.partition,
        offset=polled.offset,
        append_time_ns=polled.timestamp * 1_000_000,
        key=polled.key,
        value=polled.value or b"",
        headers=tuple((name, value or b"") for name, value in polled.headers),
    )


def _epoch(kept: OffsetAndMetadata) -> int:
    name, _, value = (kept.metadata or "").partition("=")
    return int(value) if name == "epoch" and value.isdigit() else NO_EPOCH
