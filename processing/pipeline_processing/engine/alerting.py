"""Alert events on their way to the topic `alerts`: each once, even when a step is repeated after a crash.

An event's id is made of the task, the version of its definition, the node, and the point that made it: a step that is
repeated makes the same ids. What the topic has had of them since the snapshot is not published again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline_queue.alerts import Alert, HandlerCall, Origin, as_event, cut
from pipeline_queue.brokers import Broker, Record
from pipeline_queue.codec import blocks, decode
from pipeline_queue.events import Event, new_producer
from pipeline_queue.topics import ALERTS, STRING_LENGTH_MAX

from pipeline_processing.alerts.event import AlertEvent
from pipeline_processing.alerts.event import HandlerCall as Named
from pipeline_processing.alerts.handler_calls import HANDLERS
from pipeline_processing.engine.once import Once, Way
from pipeline_processing.results import dumps
from pipeline_processing.tasks.task_master import TaskDefinition

LEVELS = ("OK", "INFO", "WARNING", "CRITICAL")


class Announcer:
    """Of one task. `since` is how far the topic was when the snapshot that it goes on from was taken."""

    def __init__(self, broker: Broker, definition: TaskDefinition, *, since: Mapping[int, int] | None = None) -> None:
        self._task, self._version = definition.id, definition.version
        self._producer, self._seq = new_producer(f"task-{definition.id}"), 0
        way = Way(broker=broker, topic=ALERTS.name, term=definition.term)
        self._once = Once(way, self._ids_in, since=since)

    def reached(self) -> dict[int, int]:
        """Where another life is to look for what this one said."""
        return self._once.reached()

    def announce(self, node: str, events: Sequence[AlertEvent]) -> None:
        """Publish those that were not; raises QueueUnavailable, and may be called again then."""
        made = [self._made(node, each) for each in events]
        ids = [cut(each.event_id, STRING_LENGTH_MAX) for each in made]
        self._once.publish(ids, lambda new: blocks(ALERTS, [self._published(made[at]) for at in new]))

    def _published(self, alert: Alert) -> Event:
        self._seq += 1
        return as_event(alert, Origin(producer=self._producer, seq=self._seq - 1, time_ns=time.time_ns()))

    def _made(self, node: str, event: AlertEvent) -> Alert:
        return Alert(
            event_id=f"{self._task}.{self._version}.{node}.{event.cause}.{event.ordinal}",
            task=self._task,
            node=node,
            topic=event.topic,
            group_id=event.group,
            alert_id=event.id,
            level=LEVELS[event.level],
            previous_level=LEVELS[event.previous_level],
            message=event.message,
            details=event.details,
            data=dumps(event.data).decode(),
            duration_ns=event.duration_ns,
            recoverable=event.recoverable,
            at_ns=event.time_ns,
            handlers=tuple(map(called, event.handlers)),
        )

    def _ids_in(self, record: Record) -> list[str]:
        task = cut(self._task, STRING_LENGTH_MAX)
        return [each.event_id for each in decode(ALERTS, record).events if each.task == task]


def called(named: Named) -> HandlerCall:
    """A handler with the arguments of each property's calls."""
    properties = {name: _calls(named.kind, name, value) for name, value in named.properties}
    return HandlerCall(kind=named.kind, arguments=named.arguments, properties=properties)


def _calls(kind: str, name: str, value: Any) -> tuple[tuple[Any, ...], ...]:
    """One tuple of arguments a call."""
    match HANDLERS[kind].properties[name].gathers:
        case "calls":
            return tuple(each if isinstance(each, tuple) else (each,) for each in value)
        case "items":
            return (tuple(value),)
    return (value,) if isinstance(value, tuple) else ((value,),)
