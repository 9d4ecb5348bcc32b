"""The way of a demo's data through the five stages, in the words of its page.

In:   a demo and the URLs of the queue and the stores.
Out:  five steps, in order; one that the demo's data passes by is not `used`. What stands in for something says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline_display.demos import Demo

STAGES = ("input", "queue", "processing", "output", "display")
STANDING_IN = ", standing in for "
QUEUES = {
    "kafka": "Kafka",
    "sqlite": f"SQLite log{STANDING_IN}Kafka",
    "memory": f"Log in memory{STANDING_IN}Kafka",
}
STORES = {
    "disk": "Parquet files on disk",
    "cassandra": "Cassandra",
    "sqlite": f"SQLite{STANDING_IN}Cassandra",
}
SCHEMES_OF_STORE = {"disk": ("disk",), "cassandra": ("cassandra", "sqlite")}
"""What a demo may find where it asks for a store; the first that is configured is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stage of a demo's path. `sample` says which sample record the page shows there."""

    stage: str
    what: str
    name: str
    used: bool = True
    sample: str


def store_of(demo: Demo, urls: Iterable[str]) -> str | None:
    """The URL of the store that `demo` reads, None if none is configured."""
    schemes = SCHEMES_OF_STORE.get(demo.store, ())
    return next((url for scheme in schemes for url in urls if urlsplit(url).scheme == scheme), None)


def steps(demo: Demo, *, queue_url: str, store_url: str | None) -> list[Step]:
    return [
        Step(stage="input", what="Source", name=demo.source, sample="event"),
        Step(stage="queue", what=QUEUES[urlsplit(queue_url).scheme], name=f"topic {demo.topic}", sample="record"),
        Step(
            stage="processing",
            what=_of_spark(demo),
            name=f"job {demo.job}" if demo.job else "passed by",
            used=bool(demo.job),
            sample="partial",
        ),
        Step(
            stage="output",
            what=store_name(store_url) if demo.store else "Stores",
            name=_named(demo.tables) if demo.store else "passed by",
            used=bool(demo.store),
            sample="row",
        ),
        Step(stage="display", what="Socket.IO, D3", name=demo.path, sample="frame"),
    ]


def _of_spark(demo: Demo) -> str:
    if not demo.job:
        return "Spark"
    return "Spark, in one batch" if demo.is_settled else "Spark Structured Streaming"


def _named(tables: Sequence[str]) -> str:
    return f"{'tables' if len(tables) > 1 else 'table'} {', '.join(tables)}"


def store_name(url: str | None) -> str:
    return STORES[urlsplit(url).scheme] if url else "no store"


def stand_ins(found: Iterable[Step]) -> list[str]:
    """What stands in for something on the way, in words."""
    names = [step.what.split(STANDING_IN) for step in found if STANDING_IN in step.what]
    return [f"{here} for {there}" for here, there in names]
