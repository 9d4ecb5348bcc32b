"""What every broker does, whichever engine carries it.

A topic has numbered partitions, a partition is a log of records with offsets that grow, and order holds within it.
A message with a key goes to the partition that Kafka's own hash (murmur2) gives; equal keys keep their order, and
every implementation and every Kafka client agrees on the partition. A broker object belongs to one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol, TypeAlias

from kafka.partitioner.default import murmur2

from pipeline_queue.errors import TooLarge
from pipeline_queue.topics import BLOCK_BYTES_MAX, Topic

Offsets: TypeAlias = Mapping[int, int]
"""By partition."""
Headers: TypeAlias = tuple[tuple[str, bytes], ...]
Durability: TypeAlias = Literal["process", "disk"]
"""Acknowledged survives the kill of every process, or power loss too."""

MESSAGE_OVERHEAD_BYTES = 512
"""Room for key, headers and framing beside a full block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is published."""

    key: bytes | None = None
    value: bytes
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A message with its place in the log and the time at which the log took it."""

    topic: str
    partition: int
    offset: int
    append_time_ns: int
    key: bytes | None = None
    value: bytes
    headers: Headers = ()


def _is_sure() -> None:
    """Nobody can have begun a newer one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """In which somebody publishes who can be replaced; whoever replaces him has the same name and a greater epoch."""

    name: str
    epoch: int
    look: Callable[[], None] = _is_sure
    """Raises TermOver where it is over, QueueUnavailable where nobody knows: for brokers that compare no epochs."""


class Broker(Protocol):
    def create(self, topics: Iterable[Topic]) -> None:
        """Make the topics that are not there yet; leave the others as they are."""

    def topics(self) -> list[str]:
        """The names that are there, sorted."""

    def partitions(self, topic: str) -> int:
        """How many partitions `topic` has; raises UnknownTopic."""

    def publish(self, topic: str, messages: Sequence[Message], *, term: Term | None = None) -> None:
        """Return when all messages are durable, in their order per partition.

        Raises TooLarge before anything is published, QueueUnavailable when it cannot tell: then some may be there.
        Raises TermOver, and publishes nothing, if a newer term than `term` was begun on this topic. Kafka compares
        no epochs: there the term's own look comes right before, and who is frozen between the two is not held back.
        """

    def begin_term(self, topic: str, term: Term) -> None:
        """From now on older terms of its name are over on this topic; raises TermOver if this one is."""

    def read(self, topic: str, start: Offsets, *, wait_s: float = 0.0, limit: int = 10_000) -> list[Record]:
        """At most `limit` records from the given offsets on, in order per partition.

        Returns as soon as there is one, and an empty list after `wait_s`. Raises OffsetGone below the begin offset.
        """

    def begin_offsets(self, topic: str) -> dict[int, int]:
        """The oldest offset that is kept, by partition."""

    def end_offsets(self, topic: str) -> dict[int, int]:
        """The offset that the next record will get, by partition."""

    def offsets_at(self, topic: str, append_time_ns: int) -> dict[int, int]:
        """The first offset appended at or after that time, by partition; the end offset where there is none."""

    def commit(self, group: str, topic: str, offsets: Offsets, *, epoch: int = 0) -> None:
        """Keep where `group` goes on; raises StaleEpoch if a commit with a greater epoch was made before.

        On Kafka the look and the write are two steps: of two commits at one moment the older may win.
        """

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """The offsets last committed, by partition; empty if there are none."""

    def close(self) -> None:
        """Let go of connections and files."""


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's default partitioner gives to `key`."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def check_sizes(topic: str, messages: Iterable[Message]) -> None:
    """Raise TooLarge for the first message above the block limit."""
    for message in messages:
        if len(message.value) > BLOCK_BYTES_MAX:
            raise TooLarge(topic, size_bytes=len(message.value), size_bytes_max=BLOCK_BYTES_MAX)
