"""What each path answers, and what is on the queue by then."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import uuid
from typing import Any

import pytest
from backports import zstd
from collector_at_hand import SOUND, Collector, Protocol, collector, done
from pipeline_input.collector import room
from pipeline_input.collector.clients import Clients, Limits
from pipeline_input.collector.openapi import document
from pipeline_input.collector.reading import EVENTS_MAX
from pipeline_input.collector.settings import CollectorSettings
from pipeline_queue.service_events import EventType
from pipeline_queue.topics import Column

OK = {"status_code": 0, "status_message": "ok"}
PURCHASE = {"event_name": "purchase", "user_id": 1, "timestamp": 2, "sku": "a,b\nc"}


def asked(
    *requests: tuple[str, Any], clients: Clients | None = None, **headers: str
) -> tuple[list[Protocol], Collector]:
    """Each request in turn of one collector."""

    async def run() -> tuple[list[Protocol], Collector]:
        with collector(clients) as here:
            return [await here.ask(path, body, **headers) for path, body in requests], here

    return done(run())


def lines(*events: Any) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def test_one_event_is_on_the_queue_when_the_reply_comes() -> None:
    (reply,), here = asked(("/", SOUND))
    (event,) = here.events()
    assert (reply.status, reply.headers["content-type"], reply.told) == (200, "application/json", OK)
    assert {name: event[name] for name in ("user_id", "timestamp", "message", "client", "producer", "seq")} == {
        "user_id": 888,
        "timestamp": 1000,
        "message": "have_fun",
        "client": "",
        "producer": "collector-test",
        "seq": 0,
    }
    assert uuid.UUID(event["event_id"]).version == 7


@pytest.mark.parametrize("path", ["/", "/events"])
def test_a_refused_event_is_not_on_the_queue(path: str) -> None:
    (reply,), here = asked((path, b'[{"event_name": "x"}]' if path == "/events" else b'{"event_name": "x"}'))
    told = reply.told["results"][0] if path == "/events" else reply.told
    assert (reply.status, told["status_code"], here.events()) == (200, 7, [])


@pytest.mark.parametrize("shape", [lines, lambda *events: json.dumps(events).encode()])
def test_many_are_answered_one_by_one_in_order(shape: Any) -> None:
    (reply,), here = asked(("/events", shape(SOUND, {"event_name": "x"}, PURCHASE, SOUND | {"message": 5}, SOUND)))
    assert [each["status_code"] for each in reply.told["results"]] == [0, 7, 0, 5, 0]
    assert (reply.status, reply.told["accepted"], reply.told["refused"]) == (200, 3, 2)
    assert ([each["seq"] for each in here.events()], [each["sku"] for each in here.events("purchase")]) == (
        [0, 1],
        ["a,b\nc"],
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"", 413, 6), (b" \n\n", 413, 6), (b"[]", 413, 6), (b"[1", 400, 3), (b"[1] 2", 400, 3), (b"[" * 90_000, 400, 3)],
)
def test_a_body_that_is_no_list_of_events_is_refused_as_a_whole(body: bytes, status: int, code: int) -> None:
    (reply,), _ = asked(("/events", body))
    assert (reply.status, reply.told["status_code"]) == (status, code)


def test_an_unpaired_surrogate_costs_its_own_event_alone() -> None:
    bad = json.dumps(SOUND)[:-1] + ', "message": "\\ud800"}'
    (reply,), here = asked(("/events", f"[{json.dumps(SOUND)}, {bad}, {json.dumps(PURCHASE)}]".encode()))
    assert [each["status_code"] for each in reply.told["results"]] == [0, 1, 0]
    assert (len(here.events()), len(here.events("purchase"))) == (1, 1)


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_a_packed_body_is_unpacked(encoding: str, pack: Any) -> None:
    (reply, cut, bomb), here = asked(
        ("/events", pack(lines(SOUND, SOUND))),
        ("/events", pack(lines(SOUND, SOUND))[:-5]),
        ("/events", pack(bytes(1 << 27))),
        content_encoding=encoding,
    )
    assert (reply.told["accepted"], len(here.events())) == (2, 2)
    assert (cut.status, encoding in cut.told["status_message"], bomb.status) == (415, True, 413)


def test_another_encoding_is_refused_with_those_that_are_known() -> None:
    (reply,), here = asked(("/events", lines(SOUND)), content_encoding="br")
    assert (reply.status, reply.headers["accept-encoding"], here.events()) == (415, "gzip, zstd, identity", [])


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_and_not_kept(chunked: bool) -> None:
    async def run() -> Protocol:
        with collector(EVENTS_BODY_BYTES_MAX=1024) as here:
            return await here.ask("/events", lines(SOUND) * 20, chunked=chunked)

    reply = done(run())
    assert (reply.status, "1,024" in reply.told["status_message"]) == (413, True)


def test_a_chunked_body_is_as_good() -> None:
    async def run() -> tuple[Any, list[Any]]:
        with collector() as here:
            return (await here.ask("/", SOUND, chunked=True)).told, here.events()

    told, events = done(run())
    assert (told, len(events)) == (OK, 1)


def test_an_id_is_the_events_own_or_made_of_the_requests_key() -> None:
    _, here = asked(
        ("/", SOUND),
        ("/", SOUND | {"id": "mine"}),
        ("/events", lines(SOUND, SOUND | {"id": "own"}, SOUND)),
        idempotency_key="k",
    )
    assert [each["event_id"] for each in here.events()] == ["k", "mine", "k-0", "own", "k-2"]


@pytest.mark.parametrize("key", ["", "k" * 121])
def test_a_key_that_cannot_be_an_id_is_refused(key: str) -> None:
    (reply,), here = asked(("/", SOUND), idempotency_key=key)
    assert (reply.status, reply.told["status_code"], here.events()) == (400, 1, [])


def test_paths_and_methods_that_are_none_are_answered_in_json() -> None:
    async def run() -> list[Protocol]:
        with collector() as here:
            return [
                await here.ask("/", method="PUT"),
                await here.ask("/x", SOUND),
                await here.ask("/metrics", method="POST"),
            ]

    put, missing, metrics = done(run())
    assert [(each.status, each.headers["content-type"]) for each in (put, missing, metrics)] == [
        (405, "application/json"),
        (404, "application/json"),
        (405, "application/json"),
    ]
    assert (put.headers["allow"], metrics.headers["allow"], "/openapi.json" in missing.told["status_message"]) == (
        "POST",
        "GET",
        True,
    )


def test_it_tells_of_itself() -> None:
    async def run() -> list[Protocol]:
        with collector() as here:
            await here.ask("/", SOUND)
            return [await here.ask(path, method="GET") for path in ("/openapi.json", "/readyz", "/metrics")]

    openapi, ready, metrics = done(run())
    event = openapi.told["components"]["schemas"]["crash_report"]
    assert event["required"] == ["event_name", "user_id", "timestamp", "message"]
    assert (ready.status, ready.told["ready"]) == (200, True)
    assert b"pipeline_events_out_total 1.0" in metrics.body


CLIENTS = Clients(
    {
        "shop": Limits(token_sha256=hashlib.sha256(b"s3cret").hexdigest(), events_per_s=0.1),
        "small": Limits(token_sha256=hashlib.sha256(b"other").hexdigest(), body_bytes_max=200),
    }
)


@pytest.mark.parametrize("header", [None, "s3cret", "Bearer", "Bearer wrong", "Basic s3cret", "bearer s3cret"])
@pytest.mark.parametrize("path", ["/", "/events"])
def test_nobodys_token_is_refused(path: str, header: str | None) -> None:
    given = {} if header is None else {"authorization": header}
    (reply,), here = asked((path, lines(SOUND)), clients=CLIENTS, **given)
    assert (reply.status, reply.headers["www-authenticate"], here.events()) == (401, "Bearer", [])


def test_a_client_is_named_and_held_to_its_rate() -> None:
    replies, here = asked(("/events", lines(SOUND) * 3), ("/", SOUND), clients=CLIENTS, authorization="Bearer s3cret")
    assert [each.status for each in replies] == [200, 429]
    assert {each["client"] for each in here.events()} == {"shop"}
    assert 0 < int(replies[1].headers["retry-after"]) <= 40  # for the three that had one second's worth, and this one


def test_a_client_is_held_to_its_size() -> None:
    replies, here = asked(("/", SOUND), ("/events", lines(SOUND) * 3), clients=CLIENTS, authorization="Bearer other")
    assert ([each.status for each in replies], len(here.events())) == ([200, 413], 1)


@pytest.mark.parametrize(
    "body", [b"1\n" * (EVENTS_MAX + 1), b"[" + b"1," * EVENTS_MAX + b"1]", b"[" + b"1," * (1 << 20) + b"1]"]
)
def test_a_request_with_more_events_than_a_block_may_have_is_refused_unread(body: bytes) -> None:
    (reply, packed), here = asked(("/events", body), ("/events", body))
    assert [(each.status, each.told["status_code"]) for each in (reply, packed)] == [(413, 6), (413, 6)]
    assert here.events() == []


def test_an_id_is_looked_at_however_its_name_is_written() -> None:
    hidden = json.dumps(SOUND)[:-1].encode() + b', "\\u0069d": "' + b"x" * 129 + b'"}'
    (reply,), here = asked(("/events", hidden))
    assert ([each["status_code"] for each in reply.told["results"]], here.events()) == ([1], [])


def test_a_page_in_a_browser_may_not_send_to_an_open_collector() -> None:
    replies, here = asked(("/", SOUND), ("/events", lines(SOUND)), origin="http://evil.example")
    assert ([each.status for each in replies], here.events()) == ([403, 403], [])


@pytest.mark.parametrize("knows", [{"EVENTS_CLIENTS": "clients.json"}, {}], ids=["of clients", "open"])
def test_no_page_of_another_origin_may_read_what_it_says(knows: dict[str, str]) -> None:
    async def run() -> list[Protocol]:
        with collector(CLIENTS if knows else None, **knows) as here:
            given = {"origin": "http://other.example", "authorization": "Bearer other"}
            asking = [*((path, "POST") for path in ("/", "/events", "/x")), ("/metrics", "GET"), ("/", "OPTIONS")]
            return [await here.ask(path, SOUND, method=method, **given) for path, method in asking]

    replies = done(run())
    assert [name for reply in replies for name in reply.headers if name.startswith("access-control-")] == []
    assert (replies[0].status, replies[-1].status) == (200 if knows else 403, 405)


def test_large_bodies_find_room_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ROOM_BYTES", 150_000)
    many = lines(SOUND) * 1_000

    async def run() -> tuple[list[int], int, int]:
        with collector() as here:
            await here.ask("/", SOUND)
            here.broker.gate.clear()
            tasks = [asyncio.create_task(here.ask("/events", many)) for _ in range(3)]
            while not tasks[2].done():
                await asyncio.sleep(0.001)
            small = asyncio.create_task(here.ask("/", SOUND))
            await asyncio.sleep(0.01)
            here.broker.gate.set()
            large = [each.status for each in await asyncio.gather(*tasks)]
            return large, (await small).status, (await here.ask("/events", many)).status

    assert done(run()) == ([200, 503, 503], 200, 200)


def test_what_is_nested_too_deep_to_show_is_refused_all_the_same() -> None:
    deep = [b'{"event_name": ' + b"[" * depth + b"]" * depth + b"}" for depth in range(900, 1_000)]
    replies, _ = asked(*(("/", each) for each in deep))
    assert {(each.status, each.told["status_code"]) for each in replies} <= {(200, 3), (200, 5)}


def test_openapi_says_a_types_own_limits() -> None:
    class Done(EventType):
        name = "done"
        doc = "done"
        fields = (Column(name="seconds", kind="int64", doc="how long", low=0, high=9),)

    own = document({"done": Done}, CollectorSettings())["components"]["schemas"]["done"]["properties"]["seconds"]
    assert (own["minimum"], own["maximum"]) == (0, 9)
