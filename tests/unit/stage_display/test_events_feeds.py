"""Applications' events as feeds: what collectors and loader tell, and what became of an event sent from a page."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pipeline_display.feeds import events
from pipeline_display.feeds.events import FORGET_S, EventsReader
from pipeline_display.feeds.sent import BODY_LENGTH_MAX, WAITING_MAX, Outbox, SentReader, Wish
from pipeline_queue.brokers import Broker, Message, open_broker
from pipeline_queue.catalog import topics
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_id, event_type
from pipeline_queue.topics import EVENT_COUNTS

OK = b'{"status_code": 0, "status_message": "ok"}'
INSTALL = topics()["events-install"]


@pytest.fixture
def url() -> str:
    url = f"memory://{secrets.token_hex(4)}"
    open_broker(url).create(topics().values())
    return url


def count(broker: Broker, seq: int, events: int, *, producer: str = "collector-1", age_s: float = 0.0) -> None:
    row = event_type(EVENT_COUNTS)(
        event_id=event_id(producer, seq),
        time_ns=time.time_ns() - round(age_s * 1e9),
        producer=producer,
        seq=seq,
        client="shop",
        type="install",
        outcome="accepted",
        events=events,
    )
    broker.publish(EVENT_COUNTS.name, blocks(EVENT_COUNTS, [row]))


def counted(reader: EventsReader) -> list[tuple[str, int]]:
    return [(row["producer"], row["events"]) for body in reader.look().bodies for row in json.loads(body)["counts"]]


def test_what_is_told_comes_as_it_is_told_and_all_of_it_again_every_ten_seconds(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "ALL_EVERY_S", 3600.0)  # ten seconds pass when they are told to
    broker, reader = open_broker(url), EventsReader(url)
    count(broker, 0, 3)
    count(broker, 0, 5, producer="collector-2")
    first = counted(reader)
    count(broker, 1, 4)
    second, third = counted(reader), reader.look().bodies
    reader._all_due_s = 0.0  # as if ten seconds had passed
    assert (sorted(first), second, third) == ([("collector-1", 3), ("collector-2", 5)], [("collector-1", 4)], [])
    assert sorted(counted(reader)) == [("collector-1", 4), ("collector-2", 5)]


def test_a_process_that_has_been_silent_for_long_is_forgotten(url: str) -> None:
    broker, reader = open_broker(url), EventsReader(url)
    count(broker, 0, 3, producer="long-ago", age_s=FORGET_S + 1)
    count(broker, 0, 5)
    assert counted(reader) == [("collector-1", 5)]


@contextmanager
def collector(answer: Callable[[bytes, Any], tuple[int, bytes]]) -> Iterator[str]:
    """One that answers as told."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = answer(self.rfile.read(int(self.headers["Content-Length"])), self.headers)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wish(**changed: str) -> Wish:
    return Wish(**{"id": "a1", "type": "install", "body": '{"id": "a1"}'} | changed)


def sent(queue_url: str, collector_url: str, given: Wish, *, token: str | None = None) -> dict[str, Any]:
    outbox = Outbox()
    assert outbox.put(given)
    (body,) = SentReader(outbox, queue_url, collector_url, token).look().bodies
    return json.loads(body)


def install(event_id: str) -> Any:
    return event_type(INSTALL)(
        event_id=event_id, time_ns=time.time_ns(), producer="c", seq=0, client="", user_id=1, timestamp=2
    )


def test_an_accepted_event_is_found_among_others_on_the_queue(url: str) -> None:
    broker, seen = open_broker(url), []
    broker.publish(
        INSTALL.name, blocks(INSTALL, [install("a1")])
    )  # of another day; what counts comes after the sending

    def answer(body: bytes, headers: Any) -> tuple[int, bytes]:
        seen.append((body, headers["Authorization"]))
        broker.publish(INSTALL.name, [Message(key=b"k", value=b"no event with a1 in it\n")])
        broker.publish(INSTALL.name, blocks(INSTALL, [install("other"), install("a1")]))
        return 200, OK

    with collector(answer) as address:
        told = sent(url, address, wish(), token="t0")
    place = told["queued"]["partition"], told["queued"]["offset"]
    records = [
        record for record in broker.read(INSTALL.name, broker.begin_offsets(INSTALL.name)) if b'"other"' in record.value
    ]
    assert [(record.partition, record.offset) for record in records] == [place]
    assert (seen, told["http"], told["reply"]) == ([(b'{"id": "a1"}', "Bearer t0")], 200, OK.decode())
    assert told["sent_ns"] <= told["answered_ns"]


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        (200, b'{"status_code": 7, "status_message": "unsupported event"}'),
        (503, OK),
        (401, b"{}"),
        (200, b"[]"),
        (200, b"\xff"),
    ],
)
def test_what_is_not_accepted_is_not_looked_for(url: str, status: int, reply: bytes) -> None:
    with collector(lambda *_: (status, reply)) as address:
        told = sent(url, address, wish())
    assert (told["http"], told["reply"], told["queued"], told["trouble"]) == (
        status,
        reply.decode(errors="replace"),
        None,
        "",
    )


def test_a_collector_that_does_not_answer_is_trouble_and_so_is_a_queue(url: str) -> None:
    with collector(lambda *_: (200, OK)) as address:
        pass
    away = sent(url, address, wish())
    no_topic = sent(f"memory://{secrets.token_hex(4)}", address, wish())
    assert (address in away["trouble"], "refused" in away["trouble"]) == (True, True)
    assert "events-install" in no_topic["trouble"]


def test_an_outbox_takes_what_may_be_sent_and_no_more_than_it_holds() -> None:
    outbox = Outbox()
    refused = [outbox.put(wish(type="no_such_type")), outbox.put(wish(body="x" * (BODY_LENGTH_MAX + 1)))]
    taken = [outbox.put(wish(id=str(i))) for i in range(WAITING_MAX + 1)]
    assert (refused, taken) == ([False, False], [True] * WAITING_MAX + [False])
    assert [outbox.take(0.0).id for _ in range(WAITING_MAX)] == [str(i) for i in range(WAITING_MAX)]
    assert outbox.take(0.01) is None
