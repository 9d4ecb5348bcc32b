"""Clients of the collector that send every post until it is answered, whatever fails; an event keeps its id when it is sent again."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field

GIVEN_UP_AFTER_S = 420
SKU = "a,b\nc\t\\N 𝄞"


@dataclass
class Sent:
    """By one client, or by several together: the ids of events, and how often a post was sent again."""

    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    retries: int = 0


def send(port: int, client: int, are_killed: threading.Event, *, posts: int, events_per_post: int) -> Sent:
    """`posts` as fast as they are taken, then one now and then until everybody was killed: none may be killed after the last."""
    mine = Sent()
    for post in itertools.count():
        if post >= posts and are_killed.wait(1.0):
            break
        names = [f"c{client}-{post}-{i}" for i in range(events_per_post)]
        mine.sent.update(names)
        body = "\n".join(
            json.dumps({"event_name": "purchase", "user_id": client, "timestamp": post, "sku": SKU, "id": name})
            for name in names
        )
        deadline = time.monotonic() + GIVEN_UP_AFTER_S
        while (answered := posted(port, body)) is None and time.monotonic() < deadline:
            mine.retries += 1
            time.sleep(random.uniform(0.05, 0.5))
        codes = [each["status_code"] for each in answered or []]
        mine.acknowledged.update(name for name, code in zip(names, codes, strict=False) if code == 0)
    return mine


def posted(port: int, body: str) -> list[dict] | None:
    """The results; None for any failure."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection), contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        connection.request("POST", "/events", body=body)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        return told["results"] if answer.status == 200 else None
    return None


def together(each: Iterable[Sent]) -> Sent:
    whole = Sent()
    for mine in each:
        whole.sent |= mine.sent
        whole.acknowledged |= mine.acknowledged
        whole.retries += mine.retries
    return whole


def is_as_sent(name: str, row: tuple[int, str]) -> bool:
    """Whether a row (user_id, sku) of the event `name` is what its client sent."""
    return row == (int(name[1:].partition("-")[0]), SKU)
