"""Many pages at once: each gets every frame once and in order, whoever else stops reading."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_display import Display, displaying
from socketio_clients import Client, Seen, connected
from waiting import PATIENCE_S, until

CLIENTS = 50
PAST = 400
"""Half a megabyte: more than the socket of a client takes that does not read."""
LIVE = 100


@pytest.fixture(params=["eventlet", "threading"])
def display(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Display]:
    with displaying(tmp_path, request.param) as display:
        yield display


def without_messages(seen: Seen) -> tuple[int, int, int]:
    """How many messages carry the events is the display's choice."""
    return seen.events, seen.last, seen.breaks


def test_each_of_many_gets_every_event_once_in_order_while_one_has_stopped_reading(display: Display) -> None:
    display.publish(PAST)
    stopped = Client(display.port, receive_bytes=4096)
    with connected(display.port, CLIENTS) as clients:
        for _ in range(LIVE):
            display.publish()
            time.sleep(0.01)
        assert until(lambda: all(seen.events == PAST + LIVE for seen in clients.report().clients), PATIENCE_S)
        whole = (PAST + LIVE, PAST + LIVE - 1, 0)
        assert [without_messages(seen) for seen in clients.report().clients] == [whole] * CLIENTS
    caught_up = until(lambda: bool(stopped.read()) and stopped.seen.events == PAST + LIVE, PATIENCE_S, pause_s=0)
    assert (caught_up, without_messages(stopped.seen)) == (True, whole)
