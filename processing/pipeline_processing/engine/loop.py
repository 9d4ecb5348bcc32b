"""Points that tasks write back into the server, each once, even when a step is repeated after a crash."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline_queue.brokers import Broker, Message, Record
from pipeline_queue.points.block import as_batch
from pipeline_queue.points.block import messages as messages_of
from pipeline_queue.topics import POINTS

from pipeline_processing.operators.outside import Looped
from pipeline_processing.points.keys import Keys
from pipeline_processing.points.writing import Names, points_of

LOOPED = "looped"
"""A header with the id of what was looped: the same when it comes again."""


class Looper:
    """Of one task, `origin` by name. `since` is how far the topic was when the snapshot was taken."""

    def __init__(self, broker: Broker, *, origin: str, since: Mapping[int, int] | None = None) -> None:
        self._broker, self._origin = broker, origin
        self._said = self._since(since) if since else set()

    def reached(self) -> dict[int, int]:
        return self._broker.end_offsets(POINTS.name)

    def write(self, node: str, looped: Looped, keys: Keys) -> None:
        """Return when they are durable; raises QueueUnavailable."""
        names = Names(
            database=looped.database, retention_policy=looped.retention_policy, measurement=looped.measurement
        )
        at = f"{self._origin}.{node}.{int(looped.points.cause[0])}"
        messages = [
            message
            for origin, points in points_of(looped.points, keys, names)
            for message in messages_of(origin, as_batch(points))
        ]
        named = [_named(each, f"{at}.{number}".encode()) for number, each in enumerate(messages)]
        self._broker.publish(POINTS.name, [each for each in named if each.headers[-1][1] not in self._said])

    def _since(self, offsets: Mapping[int, int]) -> set[bytes]:
        ends, at = self.reached(), dict(offsets)
        said: set[bytes] = set()
        while any(at[partition] < ends[partition] for partition in at):
            for record in self._broker.read(POINTS.name, at, wait_s=1.0, limit=100):
                said.update(_names_in(record))
                at[record.partition] = record.offset + 1
        return said


def _named(message: Message, name: bytes) -> Message:
    return Message(key=message.key, value=message.value, headers=(*message.headers, (LOOPED, name)))


def _names_in(record: Record) -> list[bytes]:
    return [value for name, value in record.headers if name == LOOPED]
