"""Events over HTTP without Docker: clients that retry, while the supervisor's collector and loader are killed again and again.

Afterwards the table is compared with what was sent, by id and in both directions, as in Compose.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from pipeline_cli import supervisor
from pipeline_cli.supervisor import Supervisor
from retrying_clients import Sent, is_as_sent, posted, send, together
from running_demo import free_port
from waiting import PATIENCE_S, until

CLIENTS, POSTS, EVENTS_PER_POST = 4, 50, 100
KILLED = ("collector", "loader", "a worker", "loader", "collector")


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setattr(supervisor, "PAUSE_S_MAX", supervisor.PAUSE_S_MIN)
    started = Supervisor(tmp_path, port=free_port(), events_port=free_port(), tasks_port=free_port())
    started.start(("collector", "loader"))
    yield started
    started.stop()


def is_answering(running: Supervisor) -> bool:
    event = {"event_name": "install", "user_id": 1, "timestamp": 1}
    return posted(running.events_port, json.dumps(event)) is not None


def kill(running: Supervisor, what: str) -> None:
    """And wait until the supervisor, or the collector of its worker, has put another in its place."""
    service = "collector" if what == "a worker" else what
    before = running._children[service].process.pid
    workers = {each.pid for each in psutil.Process(before).children()}
    if what == "a worker":
        for pid in workers:
            psutil.Process(pid).send_signal(signal.SIGKILL)
    else:
        psutil.Process(before).send_signal(signal.SIGKILL)

    def is_back() -> bool:
        list(running.revive())
        now = running._children[service].process
        if what == "a worker":
            return now.poll() is None and is_answering(running)
        return now.pid != before and now.poll() is None and (service == "loader" or is_answering(running))

    assert until(is_back, PATIENCE_S), what


def rows(folder: Path) -> dict[str, tuple[int, str]]:
    with closing(sqlite3.connect(folder / "events.db")) as database:
        found = database.execute("select event_id, user_id, sku from purchase").fetchall()
    assert len({name for name, *_ in found}) == len(found)
    return {name: (user_id, sku) for name, user_id, sku in found}


def test_nothing_acknowledged_is_missing_and_nothing_is_twice(running: Supervisor, tmp_path: Path) -> None:
    assert until(lambda: is_answering(running), PATIENCE_S)
    are_killed = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as threads:
        sending = [
            threads.submit(send, running.events_port, client, are_killed, posts=POSTS, events_per_post=EVENTS_PER_POST)
            for client in range(CLIENTS)
        ]
        try:
            for what in KILLED:
                kill(running, what)
        finally:
            are_killed.set()
        clients: Sent = together(each.result() for each in sending)
    assert len(clients.sent) >= CLIENTS * POSTS * EVENTS_PER_POST
    assert (clients.acknowledged == clients.sent, clients.retries > 0) == (True, True)
    assert until(lambda: len(rows(tmp_path)) >= len(clients.sent), PATIENCE_S, pause_s=0.5)
    there = rows(tmp_path)
    assert (clients.acknowledged - there.keys(), there.keys() - clients.sent) == (set(), set())
    assert [name for name, row in there.items() if not is_as_sent(name, row)] == []
