"""Events over HTTP in Compose: clients that retry on any error, while collector, Kafka, loader and PostgreSQL are killed from the host.

Afterwards the table is compared with what was sent, by id and in both directions: nothing acknowledged is missing, nothing is
there that nobody sent, and what is there is what was sent, byte for byte. A key cannot be there twice: the table forbids it.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from retrying_clients import Sent, is_as_sent, send, together
from running_demo import free_port
from running_stack import Stack
from waiting import until

pytestmark = pytest.mark.engine

CLIENTS = 8
SOAK = "PIPELINE_SOAK" in os.environ
POSTS = 500 if SOAK else 50
EVENTS_PER_POST = 250
SOAK_S = 600
KILLED = ("collector", "postgres", "kafka", "loader", "postgres", "collector")
SEED = random.randrange(1_000_000)
"""Of the order of the kills: another in each run, which says it, so that one that failed can be run again."""
LOADED_WITHIN_S = 300

WAITING = "pipeline load status --json"
ROWS = """
import json, psycopg
from pipeline_output.loader.settings import LoaderSettings
from pipeline_queue.settings import filled
with psycopg.connect(filled(LoaderSettings).url) as connection:
    with connection.cursor("rows") as cursor:  # the server's, as the container has no memory for all of them
        cursor.itersize = 10_000
        for row in cursor.execute("select event_id, user_id, sku from purchase"):
            print(json.dumps(row))
"""


@dataclass(frozen=True)
class Fire:
    """What the clients sent and were told, and what the table has."""

    clients: Sent
    rows: dict[str, tuple[int, str]]


@pytest.fixture(scope="module")
def fire(stack: Stack) -> Iterator[Fire]:
    port = free_port()
    events = ("collector", "loader")
    stack.command("up", "--detach", "--wait", *events, EVENTS_PORT=str(port), DB_LOAD_INTERVAL="1")
    kills: Counter[str] = Counter()
    print(f"the order of the kills has the seed {SEED}")
    with ThreadPoolExecutor(CLIENTS) as threads:
        are_killed = threading.Event()
        sending = [
            threads.submit(send, port, client, are_killed, posts=POSTS, events_per_post=EVENTS_PER_POST)
            for client in range(CLIENTS)
        ]
        try:
            for service in killed():
                stack.kill(service)
                kills[service] += 1
        finally:
            are_killed.set()
        clients = together(each.result() for each in sending)
    assert until(lambda: not waiting(stack), LOADED_WITHIN_S, pause_s=1)
    rows = {event_id: (user_id, sku) for event_id, user_id, sku in map(json.loads, stack.lines("loader", ROWS))}
    told = (len(clients.sent), len(clients.acknowledged), clients.retries, len(rows))
    print("sent {:,}, acknowledged {:,}, posts sent again {:,}, rows {:,}; kills:".format(*told), dict(kills))
    yield Fire(clients=clients, rows=rows)
    stack.command("rm", "--force", "--stop", "collector", "loader", "postgres", "db-password")


def killed() -> Iterator[str]:
    """In turn at random; in the soak whoever it hits after that, for SOAK_S."""
    draw = random.Random(SEED)
    yield from draw.sample(KILLED, len(KILLED))
    ends = time.monotonic() + (SOAK_S if SOAK else 0)
    while time.monotonic() < ends:
        time.sleep(draw.uniform(0.0, 5.0))
        yield draw.choice(KILLED)


def waiting(stack: Stack) -> int:
    """Events that are on the queue and not in a table."""
    said = stack.command("exec", "-T", "loader", "bash", "-c", WAITING)
    return sum(json.loads(line)["lag_events"] for line in said.splitlines())


def test_everything_was_acknowledged_in_the_end(fire: Fire) -> None:
    clients = fire.clients
    assert len(clients.sent) >= CLIENTS * POSTS * EVENTS_PER_POST
    assert (clients.acknowledged == clients.sent, clients.retries > 0) == (True, True)


def test_what_was_acknowledged_is_in_the_table_and_nothing_else(fire: Fire) -> None:
    there = fire.rows.keys()
    assert (fire.clients.acknowledged - there, there - fire.clients.sent) == (set(), set())


def test_what_is_in_the_table_is_what_was_sent(fire: Fire) -> None:
    assert {name: row for name, row in fire.rows.items() if not is_as_sent(name, row)} == {}
