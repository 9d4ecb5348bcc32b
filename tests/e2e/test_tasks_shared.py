"""Two servers share tasks: killed or frozen, one's tasks go on at the other, and all is as if one server had never been disturbed.

Points are written to the server that stays, so each is acknowledged once. What tasks hold, record and loop back is compared with an
undisturbed run of one server.
"""

from __future__ import annotations

import json
import random
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pipeline_output.state import Server
from pipeline_processing.tasks.membership import first_for
from running_engine import RunningEngine, running_engine
from waiting import PATIENCE_S, until

REQUESTS, A_REQUEST, HOSTS = 40, 500, 20
BEGIN_NS, STEP_NS = 1_500_000_000_000_000_000, 10_000_000
SETTINGS = {"TASKS_SNAPSHOT_INTERVAL_S": "1", "TASKS_LEASE_S": "2"}

WINDOW = """
stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |window()
        .period(1s)
        .every(1s)
    |mean('value')
        .as('mean')
    |httpOut('out')
    |alert()
        .id('{{ index .Tags "host" }}')
        .crit(lambda: "mean" > 62.0)
        .details('')
"""
SUM = """
stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |cumulativeSum('value')
        .as('sum')
    |httpOut('out')
    |alert()
        .id('{{ index .Tags "host" }}')
        .crit(lambda: int("sum") % 50 == 0)
        .details('')
"""
LOOP = """
stream
    |from()
        .measurement('cpu')
    |where(lambda: "value" > 90.0)
    |kapacitorLoopback()
        .database('looped')
        .retentionPolicy('autogen')
        .measurement('high')
"""
SCRIPTS = {f"{kind}{number}": script for kind, script in (("window", WINDOW), ("sum", SUM)) for number in range(4)} | {
    f"loop{number}": LOOP for number in range(2)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    held: dict[str, Any]
    alerts: Counter[tuple[Any, ...]]
    points: int


def outcome(engine: RunningEngine) -> Outcome:
    alerts = [(each.event_id, each.alert_id, each.level, each.previous_level, each.data) for each in engine.alerts()]
    return Outcome(held=held(engine), alerts=Counter(alerts), points=engine.points())


def held(engine: RunningEngine) -> dict[str, Any]:
    """After the step at hand of each task."""
    return {task: engine.output(task, "out") for task, script in SCRIPTS.items() if script != LOOP}


def outcome_in_time(engine: RunningEngine, expected: Outcome) -> Outcome:
    """The expected one as soon as it is there; after a while what there is."""
    found: list[Outcome] = []

    def is_there() -> bool:
        found[:] = [outcome(engine)]
        return found == [expected]

    until(is_there, PATIENCE_S)
    return found[0]


def requests() -> Iterator[bytes]:
    chance = random.Random(6)
    for first in range(0, REQUESTS * A_REQUEST, A_REQUEST):
        lines = [
            f"cpu,host=host{number % HOSTS:02d} value={chance.randrange(0, 1000) / 10} {BEGIN_NS + number * STEP_NS}\n"
            for number in range(first, first + A_REQUEST)
        ]
        yield "".join(lines).encode()


BODIES = tuple(requests())
LOOPED = 2 * sum(float(line.split(b"value=")[1].split()[0]) > 90.0 for body in BODIES for line in body.splitlines())


def define(engine: RunningEngine) -> None:
    for task_id, script in SCRIPTS.items():
        engine.define(task_id, script)


def write(engine: RunningEngine, first: int, last: int) -> None:
    for body in BODIES[first:last]:
        assert engine.ask("POST", "/write?db=telegraf&rp=autogen", body) == (204, b"")


def executing(engine: RunningEngine) -> set[str]:
    """As one server tells of all."""
    told = json.loads(engine.ask("GET", "/kapacitor/v1/tasks?fields=executing")[1])["tasks"]
    return {each["id"] for each in told if each["executing"]}


def own(engine: RunningEngine) -> set[str]:
    """Tasks that run at this server itself."""
    told = json.loads(engine.ask("GET", "/kapacitor/v1/debug/vars")[1])["kapacitor"].values()
    return {each["tags"]["task"] for each in told if each["name"] == "nodes"}


def share(one: RunningEngine, other: RunningEngine) -> set[str]:
    """The tasks that are for the other of two, which their ports decide."""
    places = {each.port: f"{socket.gethostname()}:{each.port}" for each in (one, other)}
    servers = [Server(id=str(port), place=place, address="") for port, place in places.items()]
    return {task for task in SCRIPTS if first_for(task, servers).id == str(other.port)}


def are_shared(one: RunningEngine, other: RunningEngine) -> bool:
    """Each task runs where it is to run, and nowhere else: none is still to go over."""
    theirs = share(one, other)
    return (own(one), own(other)) == (set(SCRIPTS) - theirs, theirs)


@contextmanager
def two(folder: Path, settings: Mapping[str, str] = SETTINGS) -> Iterator[tuple[RunningEngine, RunningEngine]]:
    """Each runs some tasks."""
    with running_engine(folder, settings) as one:
        define(one)
        other = next(each for each in iter(one.beside, None) if 0 < len(share(one, each)) < len(SCRIPTS))
        other.start()
        try:
            assert until(lambda: are_shared(one, other), PATIENCE_S), one.log()
            yield one, other
        finally:
            other.thaw()
            other.kill()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    with running_engine(tmp_path_factory.mktemp("undisturbed"), SETTINGS) as engine:
        define(engine)
        write(engine, 0, REQUESTS)
        assert until(lambda: engine.points() == REQUESTS * A_REQUEST + LOOPED, PATIENCE_S), engine.log()
        assert until(lambda: are_through(engine), PATIENCE_S), engine.log()
        return outcome(engine)


def are_through(engine: RunningEngine) -> bool:
    """An engine that was not disturbed: all is computed, and what came of it recorded."""
    if min(each["from1"]["collected"] for each in figures(engine)) < REQUESTS * A_REQUEST:
        return False
    held(engine)  # the last step has begun; its alerts are counted at its end
    return len(engine.alerts()) == sum(
        node.get("alerts_triggered", 0) for each in figures(engine) for node in each.values()
    )


def figures(engine: RunningEngine) -> list[dict[str, dict[str, int]]]:
    """Of the nodes of each task."""
    return [engine.show(task)["stats"]["node-stats"] for task in SCRIPTS]


def test_a_server_that_is_killed_changes_nothing_of_what_its_tasks_hold_and_say(
    expected: Outcome, tmp_path: Path
) -> None:
    with two(tmp_path / "b") as (one, other):
        write(one, 0, 15)
        other.kill()
        write(one, 15, 30)
        assert until(lambda: own(one) == set(SCRIPTS), PATIENCE_S), one.log()
        write(one, 30, REQUESTS)
        found = outcome_in_time(one, expected)
        other.start()
        assert until(lambda: are_shared(one, other), PATIENCE_S), one.log()
        assert outcome_in_time(other, found) == found
    assert max(expected.alerts.values()) == 1
    assert len(expected.alerts) > 100
    assert found == expected


def test_a_server_that_was_frozen_says_nothing_that_its_successor_says(expected: Outcome, tmp_path: Path) -> None:
    with two(tmp_path / "b") as (one, other):
        write(one, 0, 15)
        other.freeze()
        write(one, 15, 20)
        assert until(lambda: own(one) == set(SCRIPTS), PATIENCE_S), one.log()
        write(one, 20, 30)
        other.thaw()
        write(one, 30, REQUESTS)
        assert until(lambda: are_shared(one, other), PATIENCE_S), one.log()
        found = outcome_in_time(one, expected)
    assert max(found.alerts.values()) == 1
    assert found == expected


def test_any_server_answers_for_every_task_and_a_change_reaches_the_one_that_runs_it(tmp_path: Path) -> None:
    with two(tmp_path / "b", SETTINGS | {"TASKS_LEASE_S": "15"}) as (one, other):  # nobody is taken for dead
        for engine in (one, other):
            assert executing(engine) == set(SCRIPTS)
            assert [engine.show(task)["executing"] for task in SCRIPTS] == [True] * len(SCRIPTS)
        task = min(own(other))
        status, _ = one.ask("PATCH", f"/kapacitor/v1/tasks/{task}", b'{"status": "disabled"}')
        assert (status, other.show(task)["status"], task in own(other)) == (200, "disabled", False)
        status, _ = one.ask("DELETE", f"/kapacitor/v1/tasks/{task}")
        assert (status, other.ask("GET", f"/kapacitor/v1/tasks/{task}")[0]) == (204, 404)
