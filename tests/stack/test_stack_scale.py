"""`docker compose up --scale`: three producers and three workers give the results that one of each would give.

Every worker takes part, every window equals its recomputation, and the auditor finds no event lost or twice. The page is
published on one port, so a second display is run beside the stack on another.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import oracle
import pages
import pytest
from running_demo import free_port
from running_stack import Stack, said
from stack_reading import accounts, behind, raw_records, windows
from waiting import PATIENCE_S, until

pytestmark = pytest.mark.engine

NS = 1_000_000_000
STORES = ("disk:///data/disk", "cassandra://cassandra:9042/pipeline")
MANY = 3
RATE = 100
"""Numbers a second of each producer."""
FULL_MIN = 10
"""Windows that hold the numbers of all three."""
BORDER_S = 2
"""A repeat may have been appended since the cut and its first attempt before; it is dated before the cut then."""
STARTED_WITHIN_S = 600
"""The driver starts anew, on workers of which each starts an executor: with a load of 32 on 2 cores 90 s were too short."""
CAUGHT_UP_WITHIN_S = 300

CORES = """
import json, urllib.request
with urllib.request.urlopen("http://spark-master:8080/json/", timeout=5) as answer:
    print(json.dumps([each["coresused"] for each in json.load(answer)["workers"] if each["state"] == "ALIVE"]))
"""


@dataclass(frozen=True, kw_only=True)
class Scaled:
    """How the stack was, and what must be in its stores since then."""

    containers: dict[str, int]
    cores: list[int]
    since_ns: int
    windows: dict[int, oracle.Window]


@pytest.fixture(scope="module")
def scaled(stack: Stack) -> Iterator[Scaled]:
    several = {"input-random-numbers": MANY, "spark-worker": MANY}
    scale = [word for service, count in several.items() for word in ("--scale", f"{service}={count}")]
    stack.command("up", "--detach", "--wait", "--no-deps", "--no-recreate", *scale, *several)
    # The application takes its cores when it starts, one of each worker.
    stack.command("up", "--detach", "--no-deps", "processing", CORES_MAX=str(MANY))
    try:
        since_ns = time.time_ns()
        assert until(lambda: full(stack, since_ns) >= FULL_MIN, STARTED_WITHIN_S, pause_s=1), said_by_spark(stack)
        cores = json.loads(stack.python("spark-master", CORES))
        containers = {service: len(stack.containers(service)) for service in several}
        stack.command("stop", "input-random-numbers", "input-monitoring")
        assert until(lambda: not behind(stack), CAUGHT_UP_WITHIN_S, pause_s=1), behind(stack)
        found = oracle.windows(oracle.events(raw_records(stack, "random-numbers", since_ns)))
        whole_from_ns = since_ns + BORDER_S * NS
        yield Scaled(
            containers=containers,
            cores=cores,
            since_ns=whole_from_ns,
            windows={start_ns: window for start_ns, window in found.items() if start_ns >= whole_from_ns},
        )
    finally:
        stack.command("up", "--detach", "--no-deps", *several, "input-monitoring", "processing")


def full(stack: Stack, since_ns: int) -> int:
    """How many windows hold the numbers of all producers."""
    found = windows(stack, STORES[0], since_ns).values()
    return sum(row["count"] == MANY * RATE and len(row["ids"].split()) == MANY for row in found)


def said_by_spark(stack: Stack) -> str:
    return stack.command("logs", "--tail", "30", "processing", "spark-master", "spark-worker")


def test_every_worker_and_every_producer_takes_part(scaled: Scaled) -> None:
    assert scaled.containers == {"input-random-numbers": MANY, "spark-worker": MANY}
    assert scaled.cores == [1] * MANY
    assert sum(window.count == MANY * RATE for window in scaled.windows.values()) >= FULL_MIN


@pytest.mark.parametrize("url", STORES)
def test_every_window_equals_its_recomputation(stack: Stack, scaled: Scaled, url: str) -> None:
    assert oracle.wrong(windows(stack, url, scaled.since_ns), scaled.windows) == {}


def test_no_event_is_lost_or_twice(stack: Stack, scaled: Scaled) -> None:
    assert scaled
    found = accounts(stack)
    assert {(each["source"], each["store"]) for each in found} == {
        (source, store)
        for source in ("random-numbers", "monitoring", "census-population")
        for store in ("disk", "cassandra")
    }
    assert [each for each in found if each["lost"] or each["twice"] or each["on_the_way"]] == []


def test_a_second_display_draws_the_same_windows_on_a_port_of_its_own(stack: Stack) -> None:
    port = free_port()
    words = ("run", "--detach", "--no-deps", "--publish", f"127.0.0.1:{port}:8080", "display")
    container = stack.command(*words).strip().splitlines()[-1]
    try:
        assert until(lambda: answers(f"http://127.0.0.1:{port}/demo5"), STARTED_WITHIN_S)
        first, second = (drawn_windows(f"{page}/demo5") for page in (stack.page, f"http://127.0.0.1:{port}"))
        both = first.keys() & second.keys()
        assert len(both) >= FULL_MIN
        assert [first[at] for at in sorted(both)] == [second[at] for at in sorted(both)]
    finally:
        said(["docker", "rm", "--force", container])


def drawn_windows(address: str) -> dict[int, dict]:
    """The means that a page draws, by their windows' start, of those that change no more."""
    with pages.visit(address) as visit:
        assert until(lambda: visit.marks("mean")[FULL_MIN + pages.SETTLED_NS // NS :] != [], PATIENCE_S)
        rows = visit.marks("mean")
    settled_ns = rows[-1]["window_start_ns"] - pages.SETTLED_NS
    return {row["window_start_ns"]: row | {"frame": 0} for row in rows if row["window_start_ns"] <= settled_ns}


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status == 200
    except OSError:
        return False
