"""The collector's doors without a server: requests as RSGI brings them, a broker in memory, and one that fails on command."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from unittest.mock import patch

from pipeline_input.collector import group_commit
from pipeline_input.collector.clients import Clients
from pipeline_input.collector.counts import Counts
from pipeline_input.collector.doors import Doors, Parts
from pipeline_input.collector.group_commit import GroupCommit
from pipeline_input.collector.settings import CollectorSettings
from pipeline_queue.brokers import Message
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.codec import is_repeated
from pipeline_queue.errors import QueueUnavailable
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.service_events import event_types

WITHIN_S = 120
Result = TypeVar("Result")
SOUND = {"event_name": "crash_report", "user_id": 888, "timestamp": 1000, "message": "have_fun"}


class FaultyBroker(MemoryBroker):
    """Loses `failures` publishes, before or after they took effect, and waits at its `gate`."""

    def __init__(self, log: MemoryLog) -> None:
        super().__init__(log)
        self.failures, self.took_effect, self.publishes = 0, False, 0
        self.gate = threading.Event()
        self.gate.set()

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        self.gate.wait()
        self.publishes += 1
        if self.failures:
            self.failures -= 1
            if self.took_effect:
                super().publish(topic, messages)
            raise QueueUnavailable("memory://here", doing="publishing", cause="told to fail")
        super().publish(topic, messages)


@dataclass
class Protocol:
    """The server's side of a request."""

    chunks: Sequence[bytes]
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def __call__(self) -> bytes:
        return b"".join(self.chunks)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk

    def response_bytes(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, dict(headers), body

    @property
    def told(self) -> Any:
        return json.loads(self.body)


@dataclass
class Scope:
    method: str
    path: str
    headers: Mapping[str, str]


@dataclass
class Collector:
    """Doors, and what they lead to."""

    doors: Doors
    broker: FaultyBroker
    commit: GroupCommit
    counts: Counts

    async def ask(
        self, path: str, body: bytes | Any = b"", *, method: str = "POST", chunked: bool = False, **headers: str
    ) -> Protocol:
        """A header's name is given with `_` for `-`."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        length = {} if chunked else {"content-length": str(len(sent))}
        protocol = Protocol([sent[: len(sent) // 2], sent[len(sent) // 2 :]])
        await self.doors.answer(Scope(method, path, length | given), protocol)
        return protocol

    def events(self, name: str = "crash_report") -> list[dict[str, Any]]:
        """What the topic holds, read as plain JSON."""
        return [event for event, _ in self.records(name)]

    def records(self, name: str = "crash_report") -> list[tuple[dict[str, Any], bool]]:
        """The same, each with whether its message says that it was sent again."""
        topic = event_types()[name].topic().name
        records = self.broker.read(topic, self.broker.begin_offsets(topic))
        return [(json.loads(line), is_repeated(record)) for record in records for line in record.value.splitlines()]


def done(story: Coroutine[Any, Any, Result]) -> Result:
    """What it returns; it must not hang."""
    return asyncio.run(asyncio.wait_for(story, WITHIN_S))


@contextmanager
def collector(clients: Clients | None = None, *, patience_s: float = 30.0, **settings: Any) -> Iterator[Collector]:
    """Belongs into a running event loop."""
    service = Service(ServiceOptions(name="collector", stage="input", queue_url="memory://here"))
    broker = FaultyBroker(MemoryLog())
    topics = [each.topic() for each in event_types().values()]
    with patch.multiple(group_commit, PATIENCE_S=patience_s, BACKOFF_S=(0.001,), SWEEP_S=0.001):
        counts = Counts(service.registry)
        commit = GroupCommit(lambda: broker, topics, service, asyncio.get_running_loop())
        doors = Doors(
            Parts(
                types=event_types(),
                settings=CollectorSettings(**settings),
                clients=clients or Clients(None),
                commit=commit,
                service=service,
                counts=counts,
                figures=service.metrics,
                producer="collector-test",
            )
        )
        try:
            yield Collector(doors=doors, broker=broker, commit=commit, counts=counts)
        finally:
            broker.gate.set()
            commit.stop()
