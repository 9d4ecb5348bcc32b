"""Events that people send from the page `/events`, and what became of each.

In:   wishes, put by the server into an outbox; a thread of this feed's own sends them, as slow as the collector may be.
Out:  frames {"id", "type", "body", "sent_ns", "answered_ns", "http", "reply", "queued", "trouble"}: `http` and `reply` are the
      collector's answer, `queued` is {"partition", "offset", "append_time_ns"} of the record that holds the event, null where
      there is none; `trouble` is why one of the two could not be found out.
The record is found by reading the topic on from where it ended before the event was sent.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import Any

import msgspec
from pipeline_queue.brokers import Broker, Record, open_broker
from pipeline_queue.codec import decode
from pipeline_queue.errors import QueueError
from pipeline_queue.service_events import event_types
from pipeline_queue.topics import Topic

from pipeline_display.feeds.feed import Batch

WAIT_S = 0.5
ANSWER_WITHIN_S = 8.0
"""A collector lets a request wait for the queue for 5 s before it says no."""
FOUND_WITHIN_S = 5.0
WAITING_MAX = 20
BODY_LENGTH_MAX = 16_384
REPLY_BYTES_MAX = 2_000
RECORDS_MAX = 50
"""Of one read while looking for an event; each may be a block of megabytes."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An event to send: its body, byte for byte, and the id and type that are said in it."""

    id: str
    type: str
    body: str


class Outbox:
    """Between the server, which never waits, and the feed."""

    def __init__(self) -> None:
        self._wishes: SimpleQueue[Wish] = SimpleQueue()

    def put(self, wish: Wish) -> bool:
        """False where too much waits already, or what is wished is no event's."""
        if self._wishes.qsize() >= WAITING_MAX or wish.type not in event_types() or len(wish.body) > BODY_LENGTH_MAX:
            return False
        self._wishes.put(wish)
        return True

    def take(self, wait_s: float) -> Wish | None:
        try:
            return self._wishes.get(timeout=wait_s)
        except Empty:
            return None


class SentReader:
    """See the module; one thread uses it."""

    away: tuple[type[Exception], ...] = ()

    def __init__(self, outbox: Outbox, queue_url: str, collector_url: str, token: str | None) -> None:
        self._outbox, self._queue_url = outbox, queue_url
        self._collector_url, self._token = collector_url, token

    def look(self) -> Batch:
        wish = self._outbox.take(WAIT_S)
        return Batch(bodies=[] if wish is None else [msgspec.json.encode(self._followed(wish))])

    def let_go(self) -> None:
        """Nothing is open between looks."""

    def _followed(self, wish: Wish) -> dict[str, Any]:
        told = {
            **{"id": wish.id, "type": wish.type, "body": wish.body},
            **{"sent_ns": time.time_ns(), "answered_ns": 0, "http": 0, "reply": "", "queued": None, "trouble": ""},
        }
        topic = event_types()[wish.type].topic()
        try:
            with closing(open_broker(self._queue_url)) as broker:
                ends = broker.end_offsets(topic.name)
                told |= {"sent_ns": time.time_ns()}
                told |= self._answer(wish.body) | {"answered_ns": time.time_ns()}
                if _is_accepted(told):
                    told["queued"] = _found(broker, topic, ends, wish.id)
        except QueueError as error:
            told["trouble"] = str(error)
        except OSError as error:
            told["trouble"] = f"the collector at {self._collector_url} does not answer: {_reason(error)}"
        return told

    def _answer(self, body: str) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {self._token}"} if self._token else {}
        )
        request = urllib.request.Request(f"{self._collector_url}/", body.encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:
                return {"http": answer.status, "reply": _text(answer.read(REPLY_BYTES_MAX))}
        except urllib.error.HTTPError as answer:
            with answer:
                return {"http": answer.code, "reply": _text(answer.read(REPLY_BYTES_MAX))}


def _is_accepted(told: dict[str, Any]) -> bool:
    try:
        return told["http"] == 200 and msgspec.json.decode(told["reply"])["status_code"] == 0
    except (msgspec.DecodeError, LookupError, TypeError):
        return False


def _found(broker: Broker, topic: Topic, start: dict[int, int], event_id: str) -> dict[str, int] | None:
    at, deadline = dict(start), time.monotonic() + FOUND_WITHIN_S
    while time.monotonic() < deadline:
        for record in broker.read(topic.name, at, wait_s=WAIT_S, limit=RECORDS_MAX):
            at[record.partition] = record.offset + 1
            if event_id.encode() in record.value and _holds(topic, record, event_id):
                return {"partition": record.partition, "offset": record.offset, "append_time_ns": record.append_time_ns}
    return None


def _holds(topic: Topic, record: Record, event_id: str) -> bool:
    return any(event.event_id == event_id for event in decode(topic, record).events)


def _text(reply: bytes) -> str:
    return reply.decode(errors="replace")


def _reason(error: OSError) -> str:
    return str(error.reason if isinstance(error, urllib.error.URLError) else error)
