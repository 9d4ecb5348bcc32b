"""Points that tasks write back into the server, each once, even when a step is repeated after a crash."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline_queue.brokers import Broker, Message, Record
from pipeline_queue.points.block import as_batch
from pipeline_queue.points.block import messages as messages_of
from pipeline_queue.topics import POINTS

from pipeline_processing.engine.once import Once, Way
from pipeline_processing.operators.outside import Looped
from pipeline_processing.points.keys import Keys
from pipeline_processing.points.writing import Names, points_of
from pipeline_processing.tasks.task_master import TaskDefinition

LOOPED = "looped"
"""A header with the id of what was looped: the same when it comes again."""


class Looper:
    """Of one task. `since` is how far the topic was when the snapshot was taken."""

    def __init__(self, broker: Broker, definition: TaskDefinition, *, since: Mapping[int, int] | None = None) -> None:
        self._origin = f"{definition.id}.{definition.version}"
        way = Way(broker=broker, topic=POINTS.name, term=definition.term)
        self._once = Once(way, self._names_in, since=since)

    def reached(self) -> dict[int, int]:
        """Where another life is to look for what this one said."""
        return self._once.reached()

    def write(self, node: str, looped: Looped, keys: Keys) -> None:
        """Return when they are durable; raises QueueUnavailable, and may be called again then."""
        names = Names(
            database=looped.database, retention_policy=looped.retention_policy, measurement=looped.measurement
        )
        at = f"{self._origin}.{node}.{int(looped.points.cause[0])}"
        messages = [
            message
            for origin, points in points_of(looped.points, keys, names)
            for message in messages_of(origin, as_batch(points))
        ]
        ids = [f"{at}.{number}".encode() for number in range(len(messages))]
        self._once.publish(ids, lambda new: [_named(messages[each], ids[each]) for each in new])

    def _names_in(self, record: Record) -> list[bytes]:
        """Of this task: another's would never be made here."""
        own = f"{self._origin}.".encode()
        return [value for name, value in record.headers if name == LOOPED and value.startswith(own)]


def _named(message: Message, name: bytes) -> Message:
    return Message(key=message.key, value=message.value, headers=(*message.headers, (LOOPED, name)))
