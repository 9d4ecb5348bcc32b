"""The delivery of alerts: from the topic to whom the handlers tell.

In:   the topic `alerts`, from its own position on; the first time from the topic's begin.
Out:  each alert to each of its handlers and of the operator's, at least once and with the same key each time; alerts of one id reach a target
      in their order. What waits when the process is killed is delivered after the next start.
      Figures by handler; what was given up is in the state's folder, with its reason (outcomes.py).
A handler that cannot be reached is tried again after pauses that double from one second to five minutes; one that refuses, or fails
`attempts_max` times, is given up. A repeat, an event whose id was seen before, is counted and not delivered again.
Raises QueueUnavailable and sqlite3.Error where the queue or the state's disk is away: nothing is lost, read on later.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from pipeline_queue.alerts import Alert, HandlerCall, from_event
from pipeline_queue.brokers.protocol import Broker
from pipeline_queue.clock import Clock
from pipeline_queue.codec import decode, encode
from pipeline_queue.dead_letters import bury
from pipeline_queue.errors import OffsetGone
from pipeline_queue.events import Event, event_type
from pipeline_queue.topics import ALERTS

from pipeline_output.errors import BadHandler, HandlerRefused, HandlerUnavailable
from pipeline_output.handlers import Operator, made
from pipeline_output.handlers.endpoints import endpoints_of
from pipeline_output.handlers.everyone import GlobalHandler, global_handlers
from pipeline_output.handlers.handler import Delivery, Fill, as_it_is
from pipeline_output.handlers.lines import Lines
from pipeline_output.handlers.outcomes import Figures
from pipeline_output.handlers.pending import NewDelivery, NewEvent, Pending
from pipeline_output.handlers.settings import AlertSettings
from pipeline_output.handlers.targets import EVERYWHERE
from pipeline_output.handlers.transport import Network, Transport

PAUSE_S, PAUSE_S_MAX = 1.0, 300.0
STATE_PAUSE_S = 5.0
"""After a failure of the state's own disk."""
READ_MAX = 500
"""Records a transaction; one is an alert, or a block of them."""
FORGET_EVERY_S = 600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses after failures; tests make them short."""

    pause_s: float = PAUSE_S
    pause_s_max: float = PAUSE_S_MAX

    def after(self, attempts: int) -> float:
        """Up to a quarter more than doubled each time, so that those that failed together do not come back together."""
        return min(self.pause_s * 2 ** min(attempts, 30), self.pause_s_max) * random.uniform(1.0, 1.25)


class Deliveries:
    """Reads in the caller's thread, delivers in its own; use as a context manager. Raises BadSetting and DeliveriesTaken."""

    def __init__(
        self,
        settings: AlertSettings,
        clock: Clock,
        *,
        transport: Transport | None = None,
        backoff: Backoff | None = None,
        fill: Fill = as_it_is,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._transport = transport or Network()
        self._backoff = backoff or Backoff()
        endpoints = endpoints_of(settings.endpoints_file)
        self._of_scripts = Operator(settings=settings, targets=settings.targets, endpoints=endpoints, fill=fill)
        self._of_operator = Operator(settings=settings, targets=EVERYWHERE, endpoints=endpoints, fill=fill)
        self._global = global_handlers(settings.handlers_file, self._of_operator)
        self._pending = Pending(Path(settings.state_dir))
        self._forgot_at: float | None = None
        self._lines = Lines(self._attempt, workers=settings.workers)
        self._lines.add(self._pending.waiting())

    def __enter__(self) -> Deliveries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read_on(self, broker: Broker, *, wait_s: float = 0.0) -> int:
        """Record what is new on the topic and start to deliver it; how many alerts there were."""
        self._forget()
        positions = broker.begin_offsets(ALERTS.name) | self._pending.positions()
        try:
            records = broker.read(ALERTS.name, positions, wait_s=wait_s, limit=READ_MAX)
        except OffsetGone as gone:
            log.warning("alerts were on the topic for longer than it keeps them: %s", gone)
            begin = broker.begin_offsets(ALERTS.name)
            self._pending.take([], {each: max(begin[each], at) for each, at in positions.items()}, self._clock.now_ns())
            return 0
        decoded = [decode(ALERTS, record) for record in records]
        if letters := [letter for each in decoded for letter in each.dead]:
            bury(broker, letters)
        events = [self._planned(event) for each in decoded for event in each.events]
        reached = {record.partition: record.offset + 1 for record in records}
        if reached:
            self._lines.add(self._pending.take(events, reached, self._clock.now_ns()))
        return len(events)

    def figures(self) -> Figures:
        return self._pending.figures()

    def close(self) -> None:
        """Attempts that are under way end first, so this may take as long as one may."""
        self._lines.close()
        self._pending.close()

    def _planned(self, event: Event) -> NewEvent:
        """The event with all who are to be told of it."""
        try:
            alert = from_event(event)
            calls = [(call, self._of_scripts) for call in alert.handlers]
            calls += [(each.call, self._of_operator) for each in self._told_of_all(alert)]
        except (msgspec.MsgspecError, ValueError) as cause:
            unreadable = NewDelivery(
                key=event.event_id, kind="", target="", alert_id=event.alert_id, call=b"", is_global=False,
                refusal=f"the alert is not of the declared form: {cause}",
            )  # fmt: skip
            return NewEvent(event_id=event.event_id, line=b"", deliveries=[unreadable])
        seen: Counter[str] = Counter()
        planned = [self._one(alert, call, operator, seen) for call, operator in calls]
        return NewEvent(event_id=event.event_id, line=encode([event]), deliveries=planned)

    def _told_of_all(self, alert: Alert) -> list[GlobalHandler]:
        return [each for each in self._global if each.gets(alert.level, alert.previous_level)]

    def _one(self, alert: Alert, call: HandlerCall, operator: Operator, seen: Counter[str]) -> NewDelivery:
        """The key is the event's id; a target that a script names twice gets each its own."""
        target, refusal = "", ""
        try:
            target = made(call, replace(operator, alert=alert)).target
        except BadHandler as bad:
            refusal = str(bad)
        seen[target] += 1
        return NewDelivery(
            key=alert.event_id if seen[target] == 1 else f"{alert.event_id}.{seen[target]}",
            kind=call.kind,
            target=target,
            alert_id=alert.alert_id,
            call=msgspec.json.encode(call),
            is_global=operator is self._of_operator,
            refusal=refusal,
        )

    def _attempt(self, delivery_id: int) -> float | None:
        """Seconds until the next attempt; a state that cannot be written may mean that the same is delivered again."""
        try:
            return self._attempt_with_state(delivery_id)
        except sqlite3.Error as trouble:
            log.warning("an alert's delivery could not be noted, it is tried again: %s", trouble)
            return STATE_PAUSE_S

    def _attempt_with_state(self, delivery_id: int) -> float | None:
        due = self._pending.due(delivery_id)
        try:
            operator = self._of_operator if due.is_global else self._of_scripts
            alert = from_event(msgspec.json.decode(due.line, type=event_type(ALERTS)))
            handler = made(msgspec.json.decode(due.call, type=HandlerCall), replace(operator, alert=alert))
            handler.deliver(Delivery(alert=alert, key=due.key), transport=self._transport)
        except HandlerUnavailable as trouble:
            return self._tried(delivery_id, due.attempts + 1, str(trouble))
        except (BadHandler, HandlerRefused) as refusal:
            self._pending.give_up(delivery_id, str(refusal), self._clock.now_ns())
        except Exception as bug:  # what an exception says may hold a key, so only its name is told
            log.error("the alert handler `%s` is broken: %s in %s", due.kind, type(bug).__name__, _place(bug))
            self._pending.give_up(delivery_id, f"the handler is broken: {type(bug).__name__}", self._clock.now_ns())
        else:
            self._pending.delivered(delivery_id)
        return None

    def _tried(self, delivery_id: int, attempts: int, reason: str) -> float | None:
        if attempts < self._settings.attempts_max:
            self._pending.failed(delivery_id, reason)
            return self._backoff.after(attempts - 1)
        self._pending.give_up(delivery_id, f"{reason}; given up after {attempts} attempts", self._clock.now_ns())
        return None

    def _forget(self) -> None:
        now = time.monotonic()
        if self._forgot_at is None or now - self._forgot_at > FORGET_EVERY_S:
            self._pending.forget(self._clock.now_ns())
            self._forgot_at = now


def _place(bug: BaseException) -> str:
    """File and line of where it was raised."""
    at = bug.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at else "?"
