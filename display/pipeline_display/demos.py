"""The demos, each declared once: what it shows, and along which path its data comes.

Out:  `DEMOS`, by name. Topics, sources, jobs and tables are named as strings; their packages are not imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """One page. A demo without a table is drawn straight from its topic."""

    name: str
    title: str
    lead: str
    source: str
    """A name of the table SOURCES."""
    topic: str
    job: str = ""
    """A name of the table JOBS; none if nothing is computed on the way."""
    table: str = ""
    store: Literal["", "disk", "cassandra"] = ""
    chart: Literal["monitoring", "windows"]
    """A module in static/charts."""
    interval_s: float
    """How often there is news; a page is stale after three times that without any."""

    @property
    def path(self) -> str:
        return f"/{self.name}"


_ALL = (
    Demo(
        name="demo1",
        title="Socket.IO · monitoring",
        lead="What vmstat would print on this machine, once a second, drawn as soon as the queue has it.",
        source="monitoring",
        topic="monitoring",
        chart="monitoring",
        interval_s=1.0,
    ),
    Demo(
        name="demo5",
        title="Spark Streaming · disk · random numbers",
        lead="Random numbers, summed up by Spark for each second of event time, read back from Parquet files.",
        source="random-numbers",
        topic="random-numbers",
        job="random-numbers",
        table="random_numbers_windows",
        store="disk",
        chart="windows",
        interval_s=1.0,
    ),
    Demo(
        name="demo6",
        title="Spark Streaming · Cassandra · random numbers",
        lead="The same windows of the same numbers, read back from the database.",
        source="random-numbers",
        topic="random-numbers",
        job="random-numbers",
        table="random_numbers_windows",
        store="cassandra",
        chart="windows",
        interval_s=1.0,
    ),
)

DEMOS: Mapping[str, Demo] = {demo.name: demo for demo in _ALL}
