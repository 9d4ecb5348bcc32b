"""Tasks under `kill -9`: what they hold, say and write is what they would without it.

The whole group of processes is killed at random moments, in the middle of requests too. A client whose request was not answered
cannot know whether its points are on the queue, and who writes them again may have them twice; so this client looks at the queue
and writes again only what is not there. What is guaranteed: points that were acknowledged are computed once, alerts are
recorded once, requests and rows arrive at least once and repeats are equal. 100,000 points; 1,000,000 with PIPELINE_SOAK.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alert_receivers import Got, Receiver, http_receiver
from running_engine import RunningEngine, asked, running_engine
from waiting import PATIENCE_S, until

POINTS = 1_000_000 if "PIPELINE_SOAK" in os.environ else 100_000
A_REQUEST, HOSTS, KILLS = 1_000, 100, 6
THROUGH_WITHIN_S = PATIENCE_S * POINTS / 100_000
SETTINGS = {"TASKS_SNAPSHOT_INTERVAL_S": "1"}
BEGIN_NS, STEP_NS = 1_500_000_000_000_000_000, 10_000_000

MEAN = """
stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |window()
        .period(10s)
        .every(10s)
    |mean('value')
        .as('mean')
    |httpOut('mean')
    |alert()
        .id('{{ index .Tags "host" }}')
        .crit(lambda: "mean" > 62.0)
        .details('')
        .post('http://127.0.0.1:%d/mean')
"""
ROWS = """
stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |window()
        .period(10s)
        .every(10s)
    |count('value')
        .as('count')
    |influxDBOut()
        .cluster('http://127.0.0.1:%d')
        .database('counts')
        .measurement('counted')
        .buffer(300)
        .flushInterval(200ms)
"""
SIGMA = """
stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |eval(lambda: sigma("value"))
        .as('sigma')
        .keep()
    |httpOut('sigma')
    |alert()
        .id('{{ index .Tags "host" }}')
        .crit(lambda: "sigma" > 4.0)
        .details('')
        .post('http://127.0.0.1:%d/sigma')
"""


def requests() -> Iterator[bytes]:
    chance = random.Random(6)
    for first in range(0, POINTS, A_REQUEST):
        yield "".join(_line(chance, number) for number in range(first, first + A_REQUEST)).encode()


def _line(chance: random.Random, number: int) -> str:
    value = 100_000 if chance.random() < 0.001 else chance.randrange(0, 1000)
    return f"cpu,host=host{number % HOSTS:02d} value={value / 10} {BEGIN_NS + number * STEP_NS}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What can be seen of the three tasks from outside. Posts and rows are sets: these may come more than once."""

    mean: Any
    sigma: Any
    alerts: Counter[tuple[Any, ...]]
    posts: frozenset[str]
    rows: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Watched:
    engine: RunningEngine
    receiver: Receiver
    influx: Receiver

    def define(self) -> None:
        self.engine.define("mean", MEAN % self.receiver.port)
        self.engine.define("rows", ROWS % self.influx.port)
        self.engine.define("sigma", SIGMA % self.receiver.port)

    def outcome(self) -> Outcome:
        alerts = [
            (each.event_id, each.alert_id, each.level, each.previous_level, each.data) for each in self.engine.alerts()
        ]
        return Outcome(
            mean=self.engine.output("mean", "mean"),
            sigma=self.engine.output("sigma", "sigma"),
            alerts=Counter(alerts),
            posts=frozenset(f"{each.path} {_sorted(each.body)}" for each in whole(self.receiver)),
            rows=frozenset(line for each in whole(self.influx) for line in each.body.splitlines()),
        )

    def is_through(self) -> bool:
        """Whether an engine that was not disturbed has nothing left to do."""
        seen = [self.engine.show(task)["stats"]["node-stats"] for task in ("mean", "rows", "sigma")]
        if any(each["from1"]["collected"] < POINTS for each in seen):
            return False
        outcome = self.outcome()
        return (len(outcome.posts), len(outcome.rows)) == (len(outcome.alerts), seen[1]["influxdb_out4"]["collected"])


def whole(receiver: Receiver) -> list[Got]:
    """Without those whose sender was killed while it sent them."""
    return [each for each in list(receiver.got) if len(each.body) == int(each.headers["Content-Length"])]


def _sorted(body: bytes) -> str:
    return json.dumps(json.loads(body), sort_keys=True)


def write(engine: RunningEngine, body: bytes, on_queue: Callable[[], bool]) -> None:
    """Until it is acknowledged, or found on the queue after the engine was killed."""
    while True:
        try:
            status, told = engine.ask("POST", "/write?db=telegraf&rp=autogen", body)
            assert status == 204, told
            return
        except (OSError, http.client.HTTPException):
            if on_queue():
                return


def undisturbed(watched: Watched) -> Outcome:
    watched.define()
    with closing(http.client.HTTPConnection("127.0.0.1", watched.engine.port, timeout=PATIENCE_S)) as connection:
        for body in requests():
            assert asked(connection, "POST", "/write?db=telegraf&rp=autogen", body) == (204, b"")
    assert until(watched.is_through, THROUGH_WITHIN_S, pause_s=1), watched.engine.log()
    return watched.outcome()


def disturbed(watched: Watched, moments: Sequence[tuple[int, float]]) -> None:
    """Killed so long after the acknowledgement of that request."""
    watched.define()
    engine, due = watched.engine, dict(moments)
    for number, body in enumerate(requests()):
        killer = threading.Timer(due[number], engine.kill) if number in due else None
        if killer:
            killer.start()

        def is_there(killer: threading.Timer | None = killer, number: int = number) -> bool:
            assert killer is not None, "nobody killed it"
            killer.join()
            engine.start()
            return engine.points() > number * A_REQUEST

        write(engine, body, is_there)
        if killer and killer.is_alive():
            killer.join()
        if engine.process.poll() is not None:
            engine.start()


def test_whatever_is_killed_when_the_outcome_is_that_of_an_undisturbed_run(tmp_path: Path) -> None:
    chance = random.Random(6)
    numbers = sorted(chance.sample(range(1, POINTS // A_REQUEST), KILLS))
    moments = [(number, chance.choice((0.0, 0.002, 0.005, 0.01, 0.05, 0.3))) for number in numbers]
    with (
        http_receiver() as receiver,
        http_receiver(lambda _: 204) as influx,
        running_engine(tmp_path / "a", SETTINGS) as a,
    ):
        expected = undisturbed(Watched(a, receiver, influx))
    with (
        http_receiver() as receiver,
        http_receiver(lambda _: 204) as influx,
        running_engine(tmp_path / "b", SETTINGS) as b,
    ):
        watched = Watched(b, receiver, influx)
        disturbed(watched, moments)
        until(lambda: watched.outcome() == expected, THROUGH_WITHIN_S, pause_s=1)
        found = watched.outcome()
        assert b.points() == POINTS
    assert max(expected.alerts.values()) == 1
    assert len(expected.alerts) > 100
    assert len(expected.rows) > POINTS // 100 - 2 * HOSTS
    assert found == expected
