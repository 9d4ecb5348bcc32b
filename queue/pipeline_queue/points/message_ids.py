"""Ids of messages of points, by which a reader knows one that was sent again after an attempt of unknown outcome.

In:   messages, in the order in which they are sent for the first time; or a record.
Out:  the messages with a header `id`: each key has a producer of its own, whose numbers have no gap; or what a record's id is.
      An id is written as an event's is (`event_id`), a message that is sent again keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import count

from pipeline_queue.brokers.protocol import Message, Record
from pipeline_queue.events import event_id, new_producer
from pipeline_queue.topics import POINTS

ID = "id"


@dataclass(slots=True)
class MessageIds:
    """Of one process, which gives them just before it publishes."""

    _producers: dict[bytes | None, tuple[str, count[int]]] = field(default_factory=dict)

    def given(self, messages: Iterable[Message]) -> list[Message]:
        return [self._named(each) for each in messages]

    def _named(self, message: Message) -> Message:
        if message.key not in self._producers:
            self._producers[message.key] = (new_producer(POINTS.name), count())
        producer, numbers = self._producers[message.key]
        return replace(message, headers=(*message.headers, (ID, event_id(producer, next(numbers)).encode())))


def id_of(record: Record) -> tuple[str, int] | None:
    """Producer and number; None of a message that says neither."""
    for name, value in record.headers:
        if name == ID:
            producer, _, number = value.decode(errors="replace").rpartition("-")
            return (producer, int(number)) if producer and number.isdecimal() else None
    return None
