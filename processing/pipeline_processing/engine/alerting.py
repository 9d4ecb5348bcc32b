"""Alert events on their way to the topic `alerts`: each once, even when a step is repeated after a crash.

An event's id is made of the task, the version of its definition, the node, and the point that made it: a step that is
repeated makes the same ids. What the topic has had of them since the snapshot is not published again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline_queue.alerts import Alert, HandlerCall, Origin, as_event
from pipeline_queue.brokers import Broker
from pipeline_queue.codec import blocks, decode
from pipeline_queue.events import new_producer
from pipeline_queue.topics import ALERTS

from pipeline_processing.alerts.event import AlertEvent
from pipeline_processing.alerts.event import HandlerCall as Named
from pipeline_processing.alerts.handler_calls import HANDLERS
from pipeline_processing.results import dumps

LEVELS = ("OK", "INFO", "WARNING", "CRITICAL")


class Announcer:
    """Of one task. `since` is how far the topic was when the snapshot that it goes on from was taken."""

    def __init__(self, broker: Broker, *, task: str, version: int, since: Mapping[int, int] | None = None) -> None:
        self._broker, self._task, self._version = broker, task, version
        self._producer, self._seq = new_producer(f"task-{task}"), 0
        self._said = self._since(since) if since else set()

    def reached(self) -> dict[int, int]:
        """The topic's end."""
        return self._broker.end_offsets(ALERTS.name)

    def announce(self, node: str, events: Sequence[AlertEvent]) -> None:
        """Publish those that were not; raises QueueUnavailable."""
        made = [self._made(node, each) for each in events]
        new = [each for each in made if each.event_id not in self._said]
        if not new:
            return
        now_ns = time.time_ns()
        published = []
        for alert in new:
            published.append(as_event(alert, Origin(producer=self._producer, seq=self._seq, time_ns=now_ns)))
            self._seq += 1
        self._broker.publish(ALERTS.name, blocks(ALERTS, published))

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
            handlers=tuple(map(_called, event.handlers)),
        )

    def _since(self, offsets: Mapping[int, int]) -> set[str]:
        said: set[str] = set()
        ends = self.reached()
        at = dict(offsets)
        while any(at[partition] < ends[partition] for partition in at):
            records = self._broker.read(ALERTS.name, at, wait_s=1.0)
            for record in records:
                said.update(each.event_id for each in decode(ALERTS, record).events if each.task == self._task)
                at[record.partition] = record.offset + 1
        return said


def _called(named: Named) -> HandlerCall:
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
