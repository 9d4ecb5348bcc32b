"""The promise in Compose: what the queue acknowledged to a producer is in both stores once, whoever was killed."""

from __future__ import annotations

import json
import os
import signal

import oracle
import pytest
from running_stack import Stack, said
from stack_reading import ledger, raw_records, windows
from waiting import until

pytestmark = pytest.mark.engine

STORES = ("disk:///data/disk", "cassandra://cassandra:9042/pipeline")
KILLED = ("input-random-numbers", "spark-worker", "processing")
BACK_WITHIN_S = 90
CAUGHT_UP_WITHIN_S = 120


def kill(stack: Stack, service: str) -> None:
    """SIGKILL from the host to the container's first process: `docker kill` would switch the restart policy off."""
    before = inspected(stack, service)
    os.kill(before["State"]["Pid"], signal.SIGKILL)
    assert until(lambda: inspected(stack, service)["State"]["StartedAt"] != before["State"]["StartedAt"], BACK_WITHIN_S)
    assert until(lambda: stack.services()[service].health == "healthy", BACK_WITHIN_S), service


def inspected(stack: Stack, service: str) -> dict:
    return json.loads(said(["docker", "inspect", stack.container(service)]))[0]


@pytest.fixture(scope="module")
def expected(stack: Stack) -> dict[int, oracle.Window]:
    """Everybody on the way was killed once and is back; the producer has stopped; what the windows must be."""
    for service in KILLED:
        kill(stack, service)
    stack.command("stop", "input-random-numbers")
    appended = list(oracle.events(raw_records(stack, "random-numbers")))
    entries = ledger(stack, "random-numbers")
    found = [event["event_id"] for _, event in appended]
    assert oracle.ids(entries, "acknowledged") - set(found) == set()
    assert len(found) - len(set(found)) <= len(oracle.ids(entries, "repeated"))
    stack.command("start", "input-random-numbers")
    return oracle.windows(appended)


@pytest.mark.parametrize("url", STORES)
def test_every_window_equals_its_recomputation_and_nothing_is_late(
    stack: Stack, expected: dict[int, oracle.Window], url: str
) -> None:
    assert until(lambda: not wrong(windows(stack, url), expected), CAUGHT_UP_WITHIN_S, pause_s=2), wrong(
        windows(stack, url), expected
    )
    assert sum(window.late for window in expected.values()) == 0


def wrong(stored: dict[int, dict], expected: dict[int, oracle.Window]) -> dict:
    return {
        start_ns: (window, stored.get(start_ns))
        for start_ns, window in expected.items()
        if not (start_ns in stored and oracle.same(window, stored[start_ns]))
    }
