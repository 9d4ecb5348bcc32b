"""The promise in Compose: what the queue acknowledged to a producer is in both stores once, whoever was killed."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Expected:
    """By the recomputation; `began_ns` is when the killing began. Other tests froze Kafka before, which makes events late."""

    windows: dict[int, oracle.Window]
    began_ns: int


@pytest.fixture(scope="module")
def expected(stack: Stack) -> Expected:
    """Everybody on the way was killed once and is back; the producer has stopped; what the windows must be."""
    began_ns = time.time_ns()
    for service in KILLED:
        kill(stack, service)
    stack.command("stop", "input-random-numbers")
    appended = list(oracle.events(raw_records(stack, "random-numbers")))
    entries = ledger(stack, "random-numbers")
    found = [event["event_id"] for _, event in appended]
    assert oracle.ids(entries, "acknowledged") - set(found) == set()
    assert len(found) - len(set(found)) <= len(oracle.ids(entries, "repeated"))
    stack.command("start", "input-random-numbers")
    return Expected(windows=oracle.windows(appended), began_ns=began_ns)


@pytest.mark.parametrize("url", STORES)
def test_every_window_equals_its_recomputation_and_nothing_is_late(stack: Stack, expected: Expected, url: str) -> None:
    assert until(lambda: not wrong(windows(stack, url), expected.windows), CAUGHT_UP_WITHIN_S, pause_s=2), wrong(
        windows(stack, url), expected
    )
    assert sum(window.late for at, window in expected.windows.items() if at >= expected.began_ns) == 0


def wrong(stored: dict[int, dict], expected: dict[int, oracle.Window]) -> dict:
    return {
        start_ns: (window, stored.get(start_ns))
        for start_ns, window in expected.items()
        if not (start_ns in stored and oracle.same(window, stored[start_ns]))
    }
