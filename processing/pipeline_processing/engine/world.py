"""The outlets of a task on the queue: alerts to their topic, requests and rows to whom they are for, points back to the door.

Of what leaves the task nothing is lost: alerts and looped points are on the queue before the next step; requests and rows that
wait are a part of the snapshot, and those that came of later steps come again with the same keys.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline_queue.brokers import Broker
from pipeline_queue.errors import QueueUnavailable

from pipeline_processing.alerts.event import AlertEvent
from pipeline_processing.alerts.inhibiting import HeldBack
from pipeline_processing.engine.alerting import Announcer
from pipeline_processing.engine.asker import Asker
from pipeline_processing.engine.courier import NOWHERE, Counted, Courier, Post
from pipeline_processing.engine.influx import Influx
from pipeline_processing.engine.inhibitions import Inhibitions
from pipeline_processing.engine.loop import Looper
from pipeline_processing.engine.over_http import over_http, status_over_http
from pipeline_processing.engine.posting import Posting, Reach
from pipeline_processing.engine.sender import Sender
from pipeline_processing.graph.run import Answers, Left
from pipeline_processing.operators.outside import LogLines, Looped, Request, Rows
from pipeline_processing.points.keys import Keys
from pipeline_processing.results import dumps, series_of
from pipeline_processing.tasks.task_master import TaskDefinition

LOG = logging.getLogger(__name__)
QUEUE_AWAY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a snapshot holds: where the topic of alerts was, and posts and rows that wait, by node."""

    alerts_at: dict[int, int]
    points_at: dict[int, int]
    posts: dict[str, list[Post]]
    asked: dict[str, list[Post]]
    """Posts whose answers no step has taken in, by node."""


class World:
    assumed_answer = None

    def __init__(
        self,
        definition: TaskDefinition,
        *,
        open_broker: Callable[[], Broker],
        reach: Reach,
        inhibitions: Inhibitions,
    ) -> None:
        self._task, self._definition = definition.id, definition
        self._open, self._reach, self._inhibitions = open_broker, reach, inhibitions
        self._origin = f"{definition.id}.{definition.version}"
        self.holds = False
        self._posting = Posting(task=definition.id, origin=self._origin, reach=reach)
        self._senders: dict[str, Sender] = {}
        self._askers: dict[str, Asker] = {}
        self._has_begun = False
        self._broker: Broker | None = None
        self._released = threading.Event()
        self._influx: dict[str, Influx] = {}

    def open(self, before: Kept | None) -> None:
        """Raises QueueUnavailable, and may be tried again."""
        self._broker = self._broker or self._open()
        told = self._broker, self._definition
        self._announcer = Announcer(*told, since=before.alerts_at if before else None)
        self._looper = Looper(*told, since=before.points_at if before else None)
        for node, posts in before.posts.items() if before else ():
            for post in posts:
                self._sender(node).put(post)
        for node, posts in before.asked.items() if before else ():
            for post in posts:
                self._asker(node).put(post)

    def begin(self) -> None:
        self._has_begun = True
        for each in self._couriers():
            each.begin()

    def answers(self) -> Answers:
        found = {node: each.answers() for node, each in self._askers.items()}
        return {node: each for node, each in found.items() if each}

    def settle(self, answers: Answers) -> None:
        for node, found in answers.items():
            self._asker(node).settle(len(found))

    def awaits(self) -> bool:
        return any(each.pending() for each in self._askers.values())

    def pending(self) -> Kept:
        for each in self._influx.values():
            each.flush()
        posts = {node: each.pending() for node, each in self._senders.items()}
        asked = {node: each.pending() for node, each in self._askers.items()}
        self.holds = any(posts.values()) or any(asked.values())
        return Kept(alerts_at=self._announcer.reached(), points_at=self._looper.reached(), posts=posts, asked=asked)

    def take(self, left: Sequence[Left], keys: Keys) -> None:
        events: dict[str, list[AlertEvent]] = {}
        for each in left:
            match each.item:
                case AlertEvent():
                    events.setdefault(each.node, []).append(each.item)
                case Request():
                    self._request(each.node, each.item, keys)
                case Rows():
                    self._rows(each.node, each.item, keys)
                case Looped():
                    self._surely(lambda each=each: self._looper.write(each.node, each.item, keys))
                case LogLines():
                    self._log(each.node, each.item, keys)
        for node, of_node in events.items():
            self._surely(lambda node=node, of_node=of_node: self._announcer.announce(node, of_node))

    def counted(self) -> dict[str, Counted]:
        counted = {node: each.counted() for node, each in [*self._senders.items(), *self._askers.items()]}
        for node, each in list(self._influx.items()):
            counted[node] = counted[node]._replace(waiting=counted[node].waiting + each.waiting())
        return counted

    def inhibited(self) -> frozenset[HeldBack]:
        return self._inhibitions.of_others(self._task)

    def inhibit(self, held: frozenset[HeldBack]) -> None:
        self._inhibitions.set(self._task, held)

    def release(self) -> None:
        self._released.set()
        for each in self._couriers():
            each.release()

    def close(self) -> None:
        self._inhibitions.set(self._task, frozenset())
        for each in self._couriers():
            each.close()
        if self._broker:
            self._broker.close()

    def _surely(self, publish: Callable[[], None]) -> None:
        """However long the queue is away; raises QueueUnavailable where the task is to stop before."""
        while True:
            try:
                return publish()
            except QueueUnavailable as error:
                LOG.warning("task %s: %s", self._task, error)
                if self._released.wait(QUEUE_AWAY_S):
                    raise

    def _request(self, node: str, request: Request, keys: Keys) -> None:
        to = self._asker(node) if request.is_awaited else self._sender(node)
        for post in self._posting.posts(node, request, keys):
            to.put(post)

    def _rows(self, node: str, rows: Rows, keys: Keys) -> None:
        if rows.url and not self._reach.allowed(rows.url):
            self._posting.tell(f"{node} may not write to {rows.url}: it is not in TASKS_ALLOW_TARGETS")
            self._sender(node).put(Post(url=NOWHERE, body=b"", key="", points=len(rows.points)))
            return
        if node not in self._influx:
            self._influx[node] = Influx(rows.url, self._sender(node), task=f"{self._origin}.{node}")
        self._influx[node].write(rows, keys)

    def _log(self, node: str, line: LogLines, keys: Keys) -> None:
        told = dumps({"series": series_of(line.data, keys)}).decode()
        LOG.log(LEVELS.get(line.level.upper(), logging.INFO), "%s %s %s%s", self._task, node, line.prefix, told)

    def _couriers(self) -> list[Courier]:
        return [*self._senders.values(), *self._askers.values()]

    def _sender(self, node: str) -> Sender:
        if node not in self._senders:
            self._senders[node] = Sender(name=f"{self._task} {node}", send=over_http, addressed=self._reach.addressed)
            self._ready(self._senders[node])
        return self._senders[node]

    def _asker(self, node: str) -> Asker:
        if node not in self._askers:
            self._askers[node] = Asker(name=f"{self._task} {node}", ask=self._asked)
            self._ready(self._askers[node])
        return self._askers[node]

    def _ready(self, courier: Courier) -> None:
        """One that came after the others had begun, or were released; it is among them by now."""
        if self._has_begun:
            courier.begin()
        if self._released.is_set():
            courier.release()

    def _asked(self, post: Post) -> int:
        """The status; 0 where nobody answers, or nobody is to be asked."""
        return status_over_http(post, told=self._task) if post.url else 0


LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING, "ERROR": logging.ERROR}
