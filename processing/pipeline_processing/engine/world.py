"""The outlets of a task on the queue: alerts to their topic, requests and rows to whom they are for, points back to the door.

Of what leaves the task nothing is lost: alerts and looped points are on the queue before the next step; requests and rows that
wait are a part of the snapshot, and those that came of later steps come again with the same keys.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pipeline_queue.brokers import Broker
from pipeline_queue.errors import QueueUnavailable

from pipeline_processing.alerts.event import AlertEvent
from pipeline_processing.engine.alerting import Announcer
from pipeline_processing.engine.influx import Influx
from pipeline_processing.engine.loop import Looper
from pipeline_processing.engine.sender import Post, Sender, over_http
from pipeline_processing.graph.run import Left
from pipeline_processing.operators.outside import LogLines, Looped, Request, Rows
from pipeline_processing.points.keys import Keys
from pipeline_processing.results import NotJson, dumps, series_of
from pipeline_processing.tasks.task_master import TaskDefinition

LOG = logging.getLogger(__name__)
JSON = ("Content-Type", "application/json")
QUEUE_AWAY_S = 1.0
POST_TIMEOUT_S = 30.0
POST_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a snapshot holds: where the topic of alerts was, and posts and rows that wait, by node."""

    alerts_at: dict[int, int]
    points_at: dict[int, int]
    posts: dict[str, list[Post]]


class World:
    def __init__(
        self,
        definition: TaskDefinition,
        *,
        open_broker: Callable[[], Broker],
        allowed: Callable[[str], bool],
        influx_url: str,
    ) -> None:
        self._task, self._definition = definition.id, definition
        self._open, self._allowed, self._influx_url = open_broker, allowed, influx_url
        self._origin = f"{definition.id}.{definition.version}"
        self._senders: dict[str, Sender] = {}
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

    def pending(self) -> Kept:
        for each in self._influx.values():
            each.flush()
        return Kept(
            alerts_at=self._announcer.reached(),
            points_at=self._looper.reached(),
            posts={node: each.pending() for node, each in self._senders.items()},
        )

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

    def drain(self, within_s: float) -> bool:
        return all([each.drain(within_s) for each in self._senders.values()])

    def release(self) -> None:
        self._released.set()
        for each in list(self._senders.values()):
            each.release()

    def close(self) -> None:
        for each in self._senders.values():
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
        if not self._allowed(request.url):
            LOG.error("task %s: %s may not post to %s: it is not in TASKS_ALLOW_TARGETS", self._task, node, request.url)
            return
        for at in range(len(request.data)):
            one = request.data.take(np.array([at]))
            try:
                body = dumps({"series": series_of(one, keys)})
            except NotJson as error:
                LOG.error("task %s: %s: %s", self._task, node, error)
                continue
            self._sender(node).put(
                Post(
                    url=request.url,
                    body=body,
                    key=f"{self._origin}.{node}.{int(one.cause[0])}.{_ordinal(request.data.cause, at)}",
                    headers=(JSON, *request.headers),
                    timeout_s=request.timeout_ns / 1e9 or POST_TIMEOUT_S,
                    attempts_max=POST_ATTEMPTS,
                )
            )

    def _rows(self, node: str, rows: Rows, keys: Keys) -> None:
        if rows.url and not self._allowed(rows.url):
            LOG.error("task %s: %s may not write to %s: it is not in TASKS_ALLOW_TARGETS", self._task, node, rows.url)
            return
        if node not in self._influx:
            url = rows.url or self._influx_url
            self._influx[node] = Influx(url, self._sender(node), task=f"{self._origin}.{node}")
        self._influx[node].write(rows, keys)

    def _log(self, node: str, line: LogLines, keys: Keys) -> None:
        told = dumps({"series": series_of(line.data, keys)}).decode()
        LOG.log(LEVELS.get(line.level.upper(), logging.INFO), "%s %s %s%s", self._task, node, line.prefix, told)

    def _sender(self, node: str) -> Sender:
        if node not in self._senders:
            self._senders[node] = Sender(name=f"{self._task} {node}", send=over_http)
        if self._released.is_set():
            self._senders[node].release()
        return self._senders[node]


def _ordinal(cause: np.ndarray, at: int) -> int:
    """The number of one item among those of its cause, which stand together."""
    return at - int(np.argmax(cause == cause[at]))


LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING, "ERROR": logging.ERROR}
