"""Dead letters: what could not be read, kept with its reason until someone looks.

In:   a line of a record that is no event, or a whole record that is no block.
Out:  a record on `dead-letters`: its value is the line byte for byte, its headers say where it lay and why. What is longer
      than LETTER_BYTES_MAX is cut there and its size noted, so that a letter always fits; it cannot be replayed.
A letter's id is its origin (topic/partition/offset/line), so a letter written twice, after a restart or by two readers
of one topic, is one letter in the listing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline_queue.brokers.protocol import Broker, Message, Record
from pipeline_queue.errors import QueueError
from pipeline_queue.topics import BLOCK_BYTES_MAX, DEAD_LETTERS

LETTER_BYTES_MAX = BLOCK_BYTES_MAX - 4096
"""The rest of a block is room for the headers."""
KEY_BYTES_MAX = 1024
LETTERS_PER_PUBLISH = 500


class UnknownLetter(QueueError):
    def __init__(self, letter_id: str) -> None:
        super().__init__(f"no dead letter has the id `{letter_id}`; `pipeline deadletters list` shows those there are")


class CutLetter(QueueError):
    def __init__(self, letter: DeadLetter) -> None:
        super().__init__(
            f"of `{letter.letter_id}` the first {len(letter.raw):,} of {letter.size_bytes:,} bytes are kept, so it cannot be replayed; "
            f"the record itself is at offset {letter.offset} of `{letter.topic}` partition {letter.partition} while retention keeps it"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One line that is no event; `line` counts from 0 within its record. `size_bytes` is its length before it was cut."""

    topic: str
    partition: int
    offset: int
    line: int
    key: bytes | None
    raw: bytes
    reason: str
    append_time_ns: int
    size_bytes: int

    @classmethod
    def of(cls, record: Record, *, line: int, raw: bytes, reason: str) -> DeadLetter:
        return cls(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            line=line,
            key=record.key,
            raw=raw[:LETTER_BYTES_MAX],
            reason=reason,
            append_time_ns=record.append_time_ns,
            size_bytes=len(raw),
        )

    @property
    def letter_id(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}/{self.line}"


def bury(broker: Broker, letters: Sequence[DeadLetter]) -> None:
    """Publish the letters; returns when they are durable."""
    for first in range(0, len(letters), LETTERS_PER_PUBLISH):
        broker.publish(DEAD_LETTERS.name, [_as_message(each) for each in letters[first : first + LETTERS_PER_PUBLISH]])


def letters(broker: Broker) -> Iterator[DeadLetter]:
    """All letters that retention has left, oldest first, each once."""
    seen: set[str] = set()
    positions = broker.begin_offsets(DEAD_LETTERS.name)
    ends = broker.end_offsets(DEAD_LETTERS.name)
    while any(positions[partition] < end for partition, end in ends.items()):
        for record in broker.read(DEAD_LETTERS.name, positions, wait_s=1.0):
            positions[record.partition] = record.offset + 1
            letter = _from_record(record)
            if letter.letter_id not in seen:
                seen.add(letter.letter_id)
                yield letter


def find(broker: Broker, letter_id: str) -> DeadLetter:
    """The letter of that id; raises UnknownLetter."""
    for letter in letters(broker):
        if letter.letter_id == letter_id:
            return letter
    raise UnknownLetter(letter_id)


def replay(broker: Broker, letter: DeadLetter) -> None:
    """Publish the letter's bytes once more on the topic they came from; raises CutLetter where they are not all there."""
    if letter.size_bytes != len(letter.raw):
        raise CutLetter(letter)
    broker.publish(letter.topic, [Message(key=letter.key, value=letter.raw)])


def _as_message(letter: DeadLetter) -> Message:
    origin = {
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "line": letter.line,
        "append_time_ns": letter.append_time_ns,
        "reason": letter.reason,
        "size_bytes": letter.size_bytes,
    }
    headers = tuple((name, str(value).encode()) for name, value in origin.items())
    if letter.key is not None and len(letter.key) <= KEY_BYTES_MAX:
        headers += (("key", letter.key),)
    return Message(key=letter.letter_id.encode(), value=letter.raw, headers=headers)


def _from_record(record: Record) -> DeadLetter:
    """The letter that `bury` wrote; what somebody else put there is a letter of its own."""
    headers = dict(record.headers)
    try:
        return DeadLetter(
            topic=headers["topic"].decode(),
            partition=int(headers["partition"]),
            offset=int(headers["offset"]),
            line=int(headers["line"]),
            key=headers.get("key"),
            raw=record.value,
            reason=headers["reason"].decode(),
            append_time_ns=int(headers["append_time_ns"]),
            size_bytes=int(headers["size_bytes"]),
        )
    except (KeyError, ValueError):
        return DeadLetter.of(
            record, line=0, raw=record.value, reason="put here without headers that say where it comes from"
        )
