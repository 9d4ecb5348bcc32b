"""Where `influxDBOut` may write, and as whom, is the operator's to say; what became of its rows is counted."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from columns import frame_of
from pipeline_output.handlers.targets import Targets
from pipeline_processing.engine.courier import Counted, Post
from pipeline_processing.engine.inhibitions import Inhibitions
from pipeline_processing.engine.over_http import Refused
from pipeline_processing.engine.posting import Reach
from pipeline_processing.engine.world import Kept, World
from pipeline_processing.graph.run import Left
from pipeline_processing.operators.outside import Rows
from pipeline_processing.points.keys import Keys
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.topics import ALERTS, POINTS
from waiting import PATIENCE_S, until

NODE = "influxdb_out2"


class Influx:
    """Away at first; then it answers what it is told to, and has what it was sent."""

    def __init__(self) -> None:
        self.failure: Exception | None = OSError("nobody is asked")
        self.got: list[Post] = []

    def __call__(self, post: Post) -> None:
        if self.failure:
            raise self.failure
        self.got.append(post)


@pytest.fixture
def influx(monkeypatch: pytest.MonkeyPatch) -> Influx:
    influx = Influx()
    monkeypatch.setattr("pipeline_processing.engine.world.over_http", influx)
    monkeypatch.setattr("pipeline_processing.engine.sender.PAUSE_S_MIN", 0.001)
    return influx


@contextmanager
def world_of(reach: Reach, before: Kept | None = None) -> Iterator[World]:
    broker = MemoryBroker(MemoryLog())
    broker.create([ALERTS, POINTS])
    definition = TaskDefinition(id="t", type="stream", script="", dbrps=(("d", "r"),))
    world = World(definition, open_broker=lambda: broker, reach=reach, inhibitions=Inhibitions())
    world.open(before)
    world.begin()
    yield world
    world.close()


def written(world: World, url: str, *, points: int = 1, buffer: int = 1) -> None:
    keys = Keys()
    rows = Rows(
        url=url,
        database="d",
        retention_policy="r",
        measurement="m",
        precision="s",
        write_consistency="",
        buffer=buffer,
        flush_interval_ns=10_000_000_000,
        create=False,
        points=frame_of([{"fields": {"v": ("float", 1.0)}, "tags": {}}] * points, keys),
    )
    world.take([Left(node=NODE, item=rows)], keys)


def reach(url: str = "http://own:8086", who: str = "Token t") -> Reach:
    return Reach(allowed=Targets.of("allowed").allowed_url, influx_url=url, influx_authorization=who)


@pytest.mark.parametrize(
    ("url", "written_to"),
    [
        ("", [("http://own:8086/write?db=d&rp=r&precision=s", (("Authorization", "Token t"),))]),
        ("http://allowed", [("http://allowed/write?db=d&rp=r&precision=s", ())]),
        ("http://other", []),
        ("a name", []),
    ],
)
def test_rows_go_to_the_operators_influxdb_as_he_says_and_without_that_to_others_that_he_allows(
    url: str, written_to: list[tuple[str, tuple]], influx: Influx
) -> None:
    influx.failure = None
    with world_of(reach()) as world:
        written(world, url)
        assert until(lambda: not any(world.pending().posts.values()), PATIENCE_S, pause_s=0.001)
        assert world.counted()[NODE].given_up == (0 if written_to else 1)
    assert [(each.url, each.headers) for each in influx.got] == written_to


def test_rows_that_waited_are_sent_where_the_influxdb_is_now_and_by_who_may_write_now(influx: Influx) -> None:
    with world_of(reach()) as world:
        written(world, "")
        kept = world.pending()
    assert b"Token t" not in pickle.dumps(kept)
    influx.failure = None
    with world_of(reach("http://moved:1/", "Token new"), kept) as world:
        assert until(lambda: bool(influx.got), PATIENCE_S, pause_s=0.001)
    assert [(each.url, each.headers) for each in influx.got] == [
        ("http://moved:1/write?db=d&rp=r&precision=s", (("Authorization", "Token new"),))
    ]


def test_rows_are_counted_while_they_wait_when_they_are_written_and_when_they_are_given_up(influx: Influx) -> None:
    with world_of(reach()) as world:
        written(world, "", points=3, buffer=1000)
        assert world.counted() == {NODE: Counted(waiting=3)}
        world.pending()
        assert until(lambda: world.counted()[NODE].failed > 1, PATIENCE_S, pause_s=0.001)
        assert world.counted()[NODE].waiting == 3
        influx.failure = None
        assert until(lambda: world.counted()[NODE].sent == 3, PATIENCE_S, pause_s=0.001)
        influx.failure = Refused("answered 400: unable to parse")
        written(world, "", points=2)
        assert until(lambda: world.counted()[NODE].given_up == 2, PATIENCE_S, pause_s=0.001)
        assert world.counted()[NODE].waiting == 0
