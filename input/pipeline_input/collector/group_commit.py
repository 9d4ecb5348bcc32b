"""Events that arrive together share blocks and one acknowledgement of the queue (group commit).

In:      events of accepted requests, from the event loop; or what else `encode` makes messages of.
Out:     `accept` returns when the queue has all events of the request.
Refuses: (Unavailable) a request that waited too long for its turn, or that comes while too much waits: the queue has none of
         its events.
While one group is on its way the next one gathers, so a group is as large as the queue is slow. A group whose outcome is
unknown is sent again, marked as repeated, until it is known: who waits in it is answered late, never wrongly.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, TypeAlias

from pipeline_queue.brokers import Broker, Message
from pipeline_queue.codec import as_repeated, blocks
from pipeline_queue.errors import QueueUnavailable
from pipeline_queue.service import Service, essential_thread
from pipeline_queue.topics import Topic

PATIENCE_S = 5.0
"""How long a request waits for its turn."""
SWEEP_S = 0.25
BACKOFF_S = (0.05, 0.1, 0.2, 0.5, 1.0)
WAITING_EVENTS_MAX = 100_000
"""Some 200 MB of the longest single events."""
IDLE_S = 1.0
Encode: TypeAlias = Callable[[Topic, list[Any]], list[Message]]

log = logging.getLogger(__name__)


class Unavailable(Exception):
    """The queue does not answer, or not fast enough; it has none of the request's events."""


@dataclass(frozen=True, slots=True)
class _Request:
    events: Mapping[str, list[Any]]
    count: int
    future: asyncio.Future[None]
    came_at: float


class GroupCommit:
    """One for each process. `accept` belongs to its event loop; a thread of its own publishes."""

    def __init__(
        self,
        open_broker: Callable[[], Broker],
        topics: Iterable[Topic],
        service: Service,
        loop: asyncio.AbstractEventLoop,
        encode: Encode = blocks,
    ) -> None:
        """`topics` are made where the queue lacks them."""
        self._open_broker, self._service, self._loop, self._encode = open_broker, service, loop, encode
        self._topics = {each.name: each for each in topics}
        self._lock = threading.Lock()
        self._untaken: list[_Request] = []
        self._has_come = threading.Event()
        self._is_stopping = threading.Event()
        self._events_waiting = 0
        self._cut_off_at: float | None = time.monotonic()
        self._thread = essential_thread(self._run)
        self._sweeping = self._loop.create_task(self._sweep())
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether the queue answered the last attempt."""
        return self._cut_off_at is None

    async def accept(self, events: Mapping[str, list[Any]], count: int) -> None:
        """Return when the queue has every event, by topic, `count` in all; raises Unavailable when it has none."""
        now = time.monotonic()
        if self._cut_off_at is not None and now - self._cut_off_at > PATIENCE_S:
            raise Unavailable(f"the queue has not answered for {now - self._cut_off_at:.0f} s")
        if self._events_waiting and self._events_waiting + count > WAITING_EVENTS_MAX:
            raise Unavailable(f"{self._events_waiting:,} events wait for the queue already")
        self._events_waiting += count
        request = _Request(events, count, self._loop.create_future(), now)
        with self._lock:
            self._untaken.append(request)
        self._has_come.set()
        await request.future

    def stop(self) -> None:
        """Return when what has come is on the queue, or after PATIENCE_S."""
        self._is_stopping.set()
        self._has_come.set()
        self._sweeping.cancel()
        self._thread.join(PATIENCE_S)

    async def _sweep(self) -> None:
        """Refuse who has waited too long for his turn."""
        while True:
            await asyncio.sleep(SWEEP_S)
            since = time.monotonic() - PATIENCE_S
            with self._lock:
                late = [each for each in self._untaken if each.came_at < since]
                del self._untaken[: len(late)]
            for request in late:
                self._events_waiting -= request.count
                if not request.future.done():
                    request.future.set_exception(Unavailable(f"it waited {PATIENCE_S:g} s for the queue"))

    def _run(self) -> None:
        broker = self._open_broker()
        if not self._try_until_done(lambda: broker.create(self._topics.values())):
            return
        while not (self._is_stopping.is_set() and not self._untaken):
            self._service.beat()
            if not self._has_come.wait(IDLE_S):
                continue
            self._has_come.clear()
            with self._lock:
                group, self._untaken = self._untaken, []
            if group:
                self._deliver(broker, group)
        broker.close()

    def _deliver(self, broker: Broker, group: list[_Request]) -> None:
        by_topic: dict[str, list[Any]] = {}
        for request in group:
            for name, events in request.events.items():
                by_topic.setdefault(name, []).extend(events)
        for name, events in by_topic.items():
            if not self._publish(broker, name, self._encode(self._topics[name], events)):
                return
        self._service.count_out(sum(request.count for request in group))
        self._service.latency(time.monotonic() - group[-1].came_at)
        self._loop.call_soon_threadsafe(self._resolve, group)

    def _publish(self, broker: Broker, topic: str, messages: list[Message]) -> bool:
        """Until the queue has them, from the second attempt on as repeated; False when the process was to stop before."""
        attempts = chain([messages], repeat([as_repeated(message) for message in messages]))
        return self._try_until_done(lambda: broker.publish(topic, next(attempts)))

    def _try_until_done(self, do: Callable[[], None]) -> bool:
        for pause_s in chain(BACKOFF_S, repeat(BACKOFF_S[-1])):
            try:
                do()
            except QueueUnavailable as error:
                self._cut_off(error)
                if self._is_stopping.wait(pause_s):
                    return False
            else:
                self._connected()
                return True
        raise AssertionError  # `repeat` has no end

    def _resolve(self, group: list[_Request]) -> None:
        for request in group:
            self._events_waiting -= request.count
            if not request.future.done():  # else its client has left
                request.future.set_result(None)

    def _cut_off(self, error: QueueUnavailable) -> None:
        self._service.doing = "waiting for the queue"
        if self._cut_off_at is None:
            self._cut_off_at = time.monotonic()
            log.warning("%s; requests are refused meanwhile", error)

    def _connected(self) -> None:
        if self._cut_off_at is not None:
            log.info("the queue answers, after %.1f s", time.monotonic() - self._cut_off_at)
            self._cut_off_at = None
        self._service.doing = "taking events"
