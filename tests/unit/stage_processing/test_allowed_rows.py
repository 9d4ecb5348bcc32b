"""Where `influxDBOut` may write is the operator's to say."""

from __future__ import annotations

import pytest
from columns import frame_of
from pipeline_output.handlers.targets import Targets
from pipeline_processing.engine.inhibitions import Inhibitions
from pipeline_processing.engine.posting import Reach
from pipeline_processing.engine.world import World
from pipeline_processing.graph.run import Left
from pipeline_processing.operators.outside import Rows
from pipeline_processing.points.keys import Keys
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.topics import ALERTS, POINTS


def away(_post: object) -> None:
    raise OSError("nobody is asked")


def written_to(url: str) -> list[str]:
    """What waits for the InfluxDB that a script names; it is away."""
    broker, keys = MemoryBroker(MemoryLog()), Keys()
    broker.create([ALERTS, POINTS])
    definition = TaskDefinition(id="t", type="stream", script="", dbrps=(("d", "r"),))
    allowed = Targets.of("allowed").allowed_url
    world = World(
        definition,
        open_broker=lambda: broker,
        reach=Reach(allowed=allowed, influx_url="http://own:8086"),
        inhibitions=Inhibitions(),
    )
    world.open(None)
    rows = Rows(
        url=url,
        database="d",
        retention_policy="r",
        measurement="m",
        precision="s",
        write_consistency="",
        buffer=1,
        flush_interval_ns=10_000_000_000,
        create=False,
        points=frame_of([{"fields": {"v": ("float", 1.0)}, "tags": {}}], keys),
    )
    world.take([Left(node="influxdb_out2", item=rows)], keys)
    posts = world.pending().posts
    world.close()
    return [each.url for of_node in posts.values() for each in of_node]


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("", ["http://own:8086/write?db=d&rp=r&precision=s"]),
        ("http://allowed", ["http://allowed/write?db=d&rp=r&precision=s"]),
        ("http://other", []),
        ("a name", []),
    ],
)
def test_rows_go_to_the_operators_influxdb_and_to_others_that_he_allows(
    url: str, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline_processing.engine.world.over_http", away)
    assert written_to(url) == written
