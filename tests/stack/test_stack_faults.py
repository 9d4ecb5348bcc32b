"""The stack under fire: everybody is killed in turn while numbers come in, comes back by itself, and no event is lost or twice.

The tests start nothing: the restart policy does. What README says about breaking the stack is done too, as it is written. Afterwards the auditor compares ledgers with stores, and every window is
recomputed from the topic by other means. `scripts/run_tests.sh --soak` does the same for an hour, and freezes and cuts off too.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import oracle
import pytest
from running_stack import Stack, said
from stack_reading import CENSUS_ROWS, accounts, census_rows, raw_records, windows
from waiting import Stopwatch, until

pytestmark = pytest.mark.engine

STORES = ("disk:///data/disk", "cassandra://cassandra:9042/pipeline")
SOAK = "PIPELINE_SOAK" in os.environ
RATE = 3_000 if SOAK else 2_000
EVENTS = 10_000_000 if SOAK else 200_000
KILLED = (
    "kafka",
    "input-random-numbers",
    "input-monitoring",
    "cassandra",
    "spark-master",
    "spark-worker",
    "processing",
    "display",
)
BACK_WITHIN_S = 60
"""The promise, as a machine counts it that has these seconds to give. Health is asked for every few seconds, and a service must say three times that it is well."""
CAUGHT_UP_WITHIN_S = 900
APPLICATIONS = """
import json, urllib.request
with urllib.request.urlopen("http://spark-master:8080/json/", timeout=30) as answer:
    print(json.dumps([each["id"] for each in json.load(answer)["activeapps"] if each["state"] == "RUNNING"]))
"""
README = (Path(__file__).parents[2] / "README.md").read_text()
BREAKS = re.findall(r"^scripts/break\.sh .+$", README, re.MULTILINE)
CUT_BETWEEN_STAGES = (
    ("input-random-numbers", "queue"),
    ("spark-worker", "queue"),
    ("processing", "queue"),
    ("spark-worker", "output"),
    ("processing", "output"),
    ("display", "queue"),
    ("display", "output"),
)
"""Each pair of stages that talk; of processing the worker, which moves records and rows, and the driver, which asks where they end."""
SOAK_BREAKS = [
    f"scripts/break.sh {service} {how} 30"
    for service in ("kafka", "cassandra", "spark-worker", "processing", "input-random-numbers")
    for how in ("freeze", "cut")
] + [f"scripts/break.sh {service} cut 30 {network}" for service, network in CUT_BETWEEN_STAGES]


@dataclass(frozen=True)
class Computing:
    """When the driver was started, and the master's ids of the applications that run."""

    driver_started_at: str
    applications: list[str]


@dataclass(frozen=True)
class Fire:
    """What was seen: for each kill, how long until the service was healthy again; who computed before and after each of the master."""

    back_s: dict[str, float]
    outlived: list[Computing]
    windows: dict[int, oracle.Window]


@pytest.fixture(scope="module")
def fire(stack: Stack) -> Iterator[Fire]:
    stack.command("up", "--detach", "--no-deps", "input-random-numbers", RANDOM_NUMBERS_RATE=str(RATE))
    back_s, outlived = {}, []
    while True:
        for service in KILLED:
            if service == "spark-master":
                outlived.append(computing(stack))
            back_s[service] = max(back_s.get(service, 0.0), killed(stack, service))
            if service == "spark-master":
                outlived.append(computing(stack))
        for command in BREAKS + (SOAK_BREAKS if SOAK else []):
            said(command.split(), COMPOSE_PROJECT_NAME=stack.project)
        if SOAK and acknowledged(stack) < EVENTS:
            continue
        assert until(lambda: acknowledged(stack) >= EVENTS, 6 * EVENTS / RATE, pause_s=3)
        break
    stack.command("stop", "input-random-numbers", "input-monitoring")
    yield Fire(
        back_s=back_s,
        outlived=outlived,
        windows=oracle.windows(oracle.events(raw_records(stack, "random-numbers"))),
    )
    stack.command("up", "--detach", "--no-deps", "input-random-numbers", "input-monitoring")


def killed(stack: Stack, service: str) -> float:
    """SIGKILL from the host to the container's first process, as `docker kill` would switch the restart policy off; seconds until healthy."""
    before, stopwatch = inspected(stack, service)["State"], Stopwatch()
    os.kill(before["Pid"], signal.SIGKILL)
    assert until(lambda: started_at(stack, service) != before["StartedAt"], 6 * BACK_WITHIN_S), service
    assert until(lambda: healthy(stack, service), 6 * BACK_WITHIN_S), service
    return stopwatch.seconds()


def healthy(stack: Stack, service: str) -> bool:
    return stack.services()[service].health == "healthy"


def started_at(stack: Stack, service: str) -> str:
    return inspected(stack, service)["State"]["StartedAt"]


def computing(stack: Stack) -> Computing:
    """Once the master says that an application runs: one that was killed lately knows its workers a moment before."""
    found: list[str] = []

    def runs() -> bool:
        found[:] = json.loads(stack.python("spark-master", APPLICATIONS))
        return bool(found)

    assert until(runs, 6 * BACK_WITHIN_S), "the master knows of no application that runs"
    return Computing(driver_started_at=started_at(stack, "processing"), applications=list(found))


def inspected(stack: Stack, service: str) -> dict:
    return json.loads(said(["docker", "inspect", stack.container(service)]))[0]


def acknowledged(stack: Stack) -> int:
    return max((each["acknowledged"] for each in accounts(stack) if each["source"] == "random-numbers"), default=0)


def test_everyone_who_is_killed_is_healthy_again_within_a_minute(fire: Fire) -> None:
    assert {service: round(seconds) for service, seconds in fire.back_s.items() if seconds > BACK_WITHIN_S} == {}


def test_the_application_survives_the_kill_of_its_master(fire: Fire) -> None:
    before, after = fire.outlived[::2], fire.outlived[1::2]
    assert [len(each.applications) for each in before] == [1] * len(before)
    assert before == after


def test_nothing_that_was_acknowledged_is_lost_or_twice_in_any_store(stack: Stack, fire: Fire) -> None:
    assert fire
    assert until(lambda: not any(each["on_the_way"] for each in accounts(stack)), CAUGHT_UP_WITHIN_S, pause_s=3)
    found = accounts(stack)
    assert {each["source"] for each in found} == {"random-numbers", "monitoring", "census-population"}
    assert [each for each in found if each["lost"] or each["twice"] or not each["stored"]] == []


@pytest.mark.parametrize("url", STORES)
def test_the_census_is_whole_in_both_stores(stack: Stack, fire: Fire, url: str) -> None:
    assert fire
    assert census_rows(stack, url) == CENSUS_ROWS


@pytest.mark.parametrize("url", STORES)
def test_every_window_equals_its_recomputation(stack: Stack, fire: Fire, url: str) -> None:
    assert until(lambda: not oracle.wrong(windows(stack, url), fire.windows), CAUGHT_UP_WITHIN_S, pause_s=3), (
        oracle.wrong(windows(stack, url), fire.windows)
    )
