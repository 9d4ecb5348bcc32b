"""Events over HTTP in Compose: clients that retry on any error, while collector, Kafka, loader and PostgreSQL are killed from the host.

Afterwards the table is compared with what was sent, by id and in both directions: nothing acknowledged is missing, nothing is
there that nobody sent, and what is there is what was sent, byte for byte. A key cannot be there twice: the table forbids it.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import pytest
from running_demo import free_port
from running_stack import Stack, said
from waiting import until

pytestmark = pytest.mark.engine

CLIENTS = 8
POSTS = 50
EVENTS_PER_POST = 250
GIVEN_UP_AFTER_S = 420
KILLED = ("collector", "postgres", "kafka", "loader", "postgres", "collector")
BACK_WITHIN_S = 240
LOADED_WITHIN_S = 300
SKU = "a,b\nc\t\\N 𝄞"

WAITING = "pipeline load status --json"
ROWS = """
import json, psycopg
from pipeline_output.loader.settings import LoaderSettings
from pipeline_queue.settings import filled
with psycopg.connect(filled(LoaderSettings).url) as connection:
    for row in connection.execute("select event_id, user_id, sku from purchase"):
        print(json.dumps(row))
"""


@dataclass(frozen=True)
class Fire:
    """What the clients sent, what was acknowledged to them, how often they sent again, what the table has."""

    sent: set[str]
    acknowledged: set[str]
    retries: int
    rows: dict[str, tuple[int, str]]
    seconds_to_load: float


@pytest.fixture(scope="module")
def fire(stack: Stack) -> Iterator[Fire]:
    port = free_port()
    events = ("collector", "loader")
    stack.command("up", "--detach", "--wait", *events, EVENTS_PORT=str(port), DB_LOAD_INTERVAL="1")
    with ThreadPoolExecutor(CLIENTS) as threads:
        are_killed = threading.Event()
        sending = [threads.submit(send, port, client, are_killed) for client in range(CLIENTS)]
        try:
            for service in KILLED:
                kill(stack, service)
        finally:
            are_killed.set()
        sent = [each.result() for each in sending]
    began = time.monotonic()
    assert until(lambda: not waiting(stack), LOADED_WITHIN_S, pause_s=1)
    rows = {event_id: (user_id, sku) for event_id, user_id, sku in map(json.loads, stack.lines("loader", ROWS))}
    yield Fire(
        sent={name for each in sent for name in each.sent},
        acknowledged={name for each in sent for name in each.acknowledged},
        retries=sum(each.retries for each in sent),
        rows=rows,
        seconds_to_load=time.monotonic() - began,
    )
    stack.command("rm", "--force", "--stop", "collector", "loader", "postgres", "db-password")


def waiting(stack: Stack) -> int:
    """Events that are on the queue and not in a table."""
    said = stack.command("exec", "-T", "loader", "bash", "-c", WAITING)
    return sum(json.loads(line)["lag_events"] for line in said.splitlines())


@dataclass
class Sent:
    """Of one client."""

    sent: list[str]
    acknowledged: list[str]
    retries: int = 0


def send(port: int, client: int, are_killed: threading.Event) -> Sent:
    """Every post until it is answered 200; a post keeps its ids when it is sent again.

    POSTS as fast as they are taken, then one now and then until everybody was killed: none may be killed after the last.
    """
    mine = Sent([], [])
    for post in itertools.count():
        if post >= POSTS and are_killed.wait(1.0):
            break
        names = [f"c{client}-{post}-{i}" for i in range(EVENTS_PER_POST)]
        mine.sent += names
        body = "\n".join(
            json.dumps({"event_name": "purchase", "user_id": client, "timestamp": post, "sku": SKU, "id": name})
            for name in names
        )
        deadline = time.monotonic() + GIVEN_UP_AFTER_S
        while (answered := posted(port, body)) is None and time.monotonic() < deadline:
            mine.retries += 1
            time.sleep(random.uniform(0.05, 0.5))
        codes = [each["status_code"] for each in answered or []]
        mine.acknowledged += [name for name, code in zip(names, codes, strict=False) if code == 0]
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


def kill(stack: Stack, service: str) -> None:
    """SIGKILL from the host; the restart policy brings it back."""
    before = json.loads(said(["docker", "inspect", stack.container(service)]))[0]["State"]
    os.kill(before["Pid"], signal.SIGKILL)

    def is_back() -> bool:
        now = json.loads(said(["docker", "inspect", stack.container(service)]))[0]["State"]
        return now["StartedAt"] != before["StartedAt"] and now["Health"]["Status"] == "healthy"

    assert until(is_back, BACK_WITHIN_S), service


def test_everything_was_acknowledged_in_the_end(fire: Fire) -> None:
    assert len(fire.sent) >= CLIENTS * POSTS * EVENTS_PER_POST
    assert (fire.acknowledged == fire.sent, fire.retries > 0) == (True, True)


def test_what_was_acknowledged_is_in_the_table_and_nothing_else(fire: Fire) -> None:
    assert (fire.acknowledged - fire.rows.keys(), fire.rows.keys() - fire.sent) == (set(), set())


def test_what_is_in_the_table_is_what_was_sent(fire: Fire) -> None:
    assert {name: row for name, row in fire.rows.items() if row != (int(name[1:].partition("-")[0]), SKU)} == {}
