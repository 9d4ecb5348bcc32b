"""The collector's doors: what each path takes and answers, whatever server carries it.

In:      requests as Granian's RSGI brings them.
Out:     replies (see replies.py); accepted events on the queue before the reply says so.
One object a process, on its event loop. A body that does not arrive in time is given up, and no more of it is kept than is
allowed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
from granian.rsgi import ProtocolClosed
from pipeline_queue.events import Event, event_type
from pipeline_queue.service import Service
from pipeline_queue.service_events import EventType
from pipeline_queue.service_events.event_type import COMMON
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from pipeline_input.collector import replies
from pipeline_input.collector.clients import Client, Clients
from pipeline_input.collector.counts import Counts, Outcome
from pipeline_input.collector.group_commit import GroupCommit, Unavailable
from pipeline_input.collector.ids import Ids
from pipeline_input.collector.openapi import document
from pipeline_input.collector.patience import Patience
from pipeline_input.collector.reading import BOM, KEY_LENGTH_MAX, Code, Reader, Refused, pieces_of, type_name
from pipeline_input.collector.replies import Reply
from pipeline_input.collector.room import Full, Room
from pipeline_input.collector.settings import CollectorSettings
from pipeline_input.collector.unpacking import BadEncoding, TooMuch, unpacked

DROPPED_BYTES_MAX = 1 << 26
"""How much of a body that is too large is read, so that its sender gets to read the reply."""

UNREAD: Mapping[str, int] = {"": 1}
"""Events by type, as a request counts in which nobody has looked for them."""


class NotTaken(Exception):
    """The request as a whole, for the reason that its reply gives; `by_type` are the events found in it."""

    def __init__(self, reply: Reply, outcome: str, by_type: Mapping[str, int] = UNREAD) -> None:
        super().__init__(reply)
        self.reply, self.outcome, self.by_type = reply, outcome, by_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the doors lead to."""

    types: Mapping[str, type[EventType]]
    settings: CollectorSettings
    clients: Clients
    commit: GroupCommit
    service: Service
    counts: Counts
    figures: Callable[[], bytes]
    producer: str


class Doors:
    """Of one process."""

    def __init__(self, parts: Parts) -> None:
        self._settings, self._clients = parts.settings, parts.clients
        self._commit, self._service, self._counts = parts.commit, parts.service, parts.counts
        self._figures = parts.figures
        self._reader = Reader(parts.types, length_max=parts.settings.length_max)
        self._makers = {each.sent(): _Maker(each, parts.producer) for each in parts.types.values()}
        self._types_by_topic = {each.topic().name: each.name for each in parts.types.values()}
        self._ids = Ids()
        self._room = Room()
        self._patience = Patience(parts.settings.request_within_s)
        self._one_bytes_max = 4 * parts.settings.length_max + len(BOM)
        self._openapi = replies.as_json(200, document(parts.types, parts.settings))
        self._paths: Mapping[str, tuple[str, Callable[[Any, Any], Awaitable[Reply]]]] = {
            "/": ("POST", partial(self._take, self._one)),
            "/events": ("POST", partial(self._take, self._many)),
            "/openapi.json": ("GET", self._describe),
            "/healthz": ("GET", self._tell_health),
            "/readyz": ("GET", self._tell_readiness),
            "/metrics": ("GET", self._tell_figures),
        }

    async def answer(self, scope: Any, protocol: Any) -> None:
        """One request of RSGI."""
        status, headers, body = await self._reply(scope, protocol)
        protocol.response_bytes(status, headers, body)

    async def _reply(self, scope: Any, protocol: Any) -> Reply:
        if scope.path not in self._paths:
            return replies.not_found(scope.path, self._paths)
        method, door = self._paths[scope.path]
        if scope.method != method:
            return replies.wrong_method(method)
        return await door(scope, protocol)

    async def _take(self, door: Callable[[Client, Any, Any], Awaitable[Reply]], scope: Any, protocol: Any) -> Reply:
        """What `door` answers to a client that may send; a request of which nothing is taken is counted here."""
        name = ""
        try:
            client = self._client(scope)
            name = client.name
            return await door(client, scope, protocol)
        except NotTaken as refusal:
            self._counts.add(name, refusal.outcome, refusal.by_type)
            return refusal.reply

    async def _one(self, client: Client, scope: Any, protocol: Any) -> Reply:
        bytes_max = min(self._bytes_max(client), self._one_bytes_max)
        body = await self._body(scope, protocol, bytes_max)
        _grant(client, 1)
        try:
            if body is None:
                told = f"more than {bytes_max:,} bytes, allowed are {self._settings.length_max:,} characters"
                raise Refused(Code.BAD_LENGTH, told)
            sent = self._reader.read(body)
        except Refused as refusal:
            self._counts.add(client.name, refusal.code.message, {refusal.type_name: 1})
            return replies.refused(refusal)
        key = _key(scope, 1)
        await self._accept(client, [sent], [key] if key else None)
        return replies.OK

    async def _many(self, client: Client, scope: Any, protocol: Any) -> Reply:
        bytes_max = self._bytes_max(client)
        try:
            with self._room.taken(_size_at_most(scope, bytes_max)):
                body = await self._body(scope, protocol, bytes_max)
                if body is None:
                    raise NotTaken(replies.too_large(bytes_max), Outcome.TOO_LARGE)
                return await self._take_many(scope, client, _unpacked(scope, body, bytes_max))
        except Full as reason:
            raise NotTaken(replies.unavailable(reason), Outcome.NO_ROOM) from reason

    async def _take_many(self, scope: Any, client: Client, body: bytes) -> Reply:
        try:
            pieces = pieces_of(body)
        except Refused as refusal:
            raise NotTaken(replies.refused_body(refusal), refusal.code.message) from refusal
        _grant(client, len(pieces))
        outcomes = self._reader.read_each(pieces)
        sound = {i: each for i, each in enumerate(outcomes) if not isinstance(each, Refused)}
        refused = [each for each in outcomes if isinstance(each, Refused)]
        if sound:
            key = _key(scope, len(pieces))
            keys = [f"{key}-{i}" for i in sound] if key else None
            await self._accept(client, list(sound.values()), keys, besides=refused)
        for (outcome, name), events in Counter((each.code.message, each.type_name) for each in refused).items():
            self._counts.add(client.name, outcome, {name: events})
        return replies.results(each if isinstance(each, Refused) else None for each in outcomes)

    async def _body(self, scope: Any, protocol: Any, bytes_max: int) -> bytes | None:
        """None where it is larger than that; raises NotTaken where it does not come."""
        length = scope.headers.get("content-length")
        is_small = length is not None and int(length) <= bytes_max
        try:
            return await self._patience.wait(protocol() if is_small else _body_in_chunks(protocol, bytes_max))
        except TimeoutError:
            raise NotTaken(replies.too_slow(self._settings.request_within_s), Outcome.TOO_SLOW) from None
        except ProtocolClosed:
            raise NotTaken(replies.cut_off(), Outcome.CUT_OFF) from None

    async def _accept(
        self,
        client: Client,
        sent: Sequence[msgspec.Struct],
        keys: Sequence[str] | None,
        *,
        besides: Sequence[Refused] = (),
    ) -> None:
        """Return when the queue has them all; raises NotTaken, of what came `besides` too.

        An event's own id goes before the request's key.
        """
        time_ns = time.time_ns()
        ids = keys or self._ids.take(len(sent), time_ns)
        by_topic: dict[str, list[Event]] = {}
        for each, given in zip(sent, ids, strict=True):
            maker = self._makers[type(each)]
            by_topic.setdefault(maker.topic, []).append(maker.make(each, each.id or given, time_ns, client.name))
        self._service.count_in(len(sent))
        try:
            await self._commit.accept(by_topic, len(sent))
        except Unavailable as reason:
            by_type = Counter(map(type_name, (*sent, *besides)))
            raise NotTaken(replies.unavailable(reason), Outcome.QUEUE_UNAVAILABLE, by_type) from reason
        by_type = {self._types_by_topic[topic]: len(events) for topic, events in by_topic.items()}
        self._counts.add(client.name, Outcome.ACCEPTED, by_type)

    def _client(self, scope: Any) -> Client:
        """Raises NotTaken. To an open collector a browser sends what any page tells it; such a request has an origin."""
        if self._settings.clients is None and scope.headers.get("origin") is not None:
            raise NotTaken(replies.foreign_page(), Outcome.FOREIGN_PAGE)
        client = self._clients.client(scope.headers.get("authorization"))
        if client is None:
            raise NotTaken(replies.unknown_client(), Outcome.UNKNOWN_CLIENT)
        return client

    def _bytes_max(self, client: Client) -> int:
        return client.body_bytes_max or self._settings.body_bytes_max

    async def _describe(self, _scope: Any, _protocol: Any) -> Reply:
        return self._openapi

    async def _tell_health(self, _scope: Any, _protocol: Any) -> Reply:
        trouble = self._service.trouble()
        told = {"service": self._service.options.name, "healthy": trouble is None, "doing": self._service.doing}
        return replies.as_json(503 if trouble else 200, told | {"trouble": trouble})

    async def _tell_readiness(self, _scope: Any, _protocol: Any) -> Reply:
        is_ready = self._commit.is_ready
        return replies.as_json(200 if is_ready else 503, {"ready": is_ready, "doing": self._service.doing})

    async def _tell_figures(self, _scope: Any, _protocol: Any) -> Reply:
        return 200, [("content-type", CONTENT_TYPE_LATEST)], self._figures()


class _Maker:
    """Makes a type's events from what was sent."""

    def __init__(self, of: type[EventType], producer: str) -> None:
        topic = of.topic()
        self.topic = topic.name
        self._event = event_type(topic)
        self._values = attrgetter(*(column.name for column in (*COMMON, *of.fields)))
        self._producer = producer
        self._seq = 0

    def make(self, sent: msgspec.Struct, event_id: str, time_ns: int, client: str) -> Event:
        seq, self._seq = self._seq, self._seq + 1
        return self._event(event_id, time_ns, self._producer, seq, client, *self._values(sent))


def _grant(client: Client, events: int) -> None:
    """Count them as sent; raises NotTaken."""
    if wait_s := client.wait_s(events, time.monotonic()):
        raise NotTaken(replies.too_fast(wait_s), Outcome.TOO_FAST, {"": events})


def _key(scope: Any, events: int) -> str | None:
    """The `Idempotency-Key` of a request of so many; raises NotTaken."""
    key = scope.headers.get("idempotency-key")
    told = ""
    if key is not None and not 0 < len(key) <= KEY_LENGTH_MAX:
        told = f"`Idempotency-Key` has {len(key)} characters, allowed are 1 to {KEY_LENGTH_MAX}"
    elif key is None and "idempotency-key" in scope.headers:  # without it, a retry would be another event
        told = "`Idempotency-Key` must be printable ASCII"
    if told:
        refusal = Refused(Code.UNIDENTIFIED, told)
        raise NotTaken(replies.refused_body(refusal), refusal.code.message, {"": events})
    return key


def _size_at_most(scope: Any, bytes_max: int) -> int:
    """Of the body, once it is unpacked."""
    length = scope.headers.get("content-length")
    return bytes_max if length is None or scope.headers.get("content-encoding") else min(int(length), bytes_max)


async def _body_in_chunks(protocol: Any, bytes_max: int) -> bytes | None:
    kept, size = [], 0
    async for chunk in protocol:
        size += len(chunk)
        if size <= bytes_max:
            kept.append(chunk)
        elif size > DROPPED_BYTES_MAX:
            break
    return b"".join(kept) if size <= bytes_max else None


def _unpacked(scope: Any, body: bytes, bytes_max: int) -> bytes:
    """Raises NotTaken."""
    try:
        return unpacked(body, scope.headers.get("content-encoding"), bytes_max=bytes_max)
    except BadEncoding as reason:
        raise NotTaken(replies.bad_encoding(reason), Outcome.BAD_ENCODING) from reason
    except TooMuch:
        raise NotTaken(replies.too_large(bytes_max), Outcome.TOO_LARGE) from None
