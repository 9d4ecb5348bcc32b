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
    alias: str = ""
    """A second address that says what the page shows; it leads to the first. None if empty."""
    title: str
    lead: str
    source: str
    """A name of the table SOURCES."""
    topic: str
    job: str = ""
    """A name of the table JOBS; none if nothing is computed on the way."""
    table: str = ""
    further_tables: tuple[str, ...] = ()
    """What it reads beside `table`."""
    store: Literal["", "disk", "cassandra"] = ""
    chart: str
    """A module in static/charts, without its `.js`."""
    interval_s: float
    """How often there is news; a page is stale after three times that without any. 0: only when its job is run."""
    rules: str = ""
    """How its figures come about and where its data is from, for the page."""

    @property
    def path(self) -> str:
        return f"/{self.name}"

    @property
    def tables(self) -> tuple[str, ...]:
        return (self.table, *self.further_tables) if self.table else ()

    @property
    def is_settled(self) -> bool:
        """Its data stands until a job is run again: it has no recent past to choose from, and does not grow old."""
        return self.interval_s == 0


CENSUS_RULES = """\
An age stands for its middle: a + 0.5 years, and 100 and over for 100.5. An income group stands for its midpoint, and the \
open group from 200,000 USD for 1.5 times its lower bound, 300,000 USD. Means and standard deviations, those of a whole \
population, are weighted by people and by households. Sources: US Census Bureau, 2008 national population projections by \
single year of age and sex, as carried by the R package survival; US Census Bureau, American Community Survey 3-year data \
2013, as carried by vega-datasets. This product uses the Census Bureau Data API but is not endorsed or certified by the \
Census Bureau. The states' shapes are the Census Bureau's of 2017, as carried by us-atlas."""

_ALL = (
    Demo(
        name="demo1",
        alias="/live/monitoring",
        title="Socket.IO · monitoring",
        lead="What vmstat would print on this machine, once a second, drawn as soon as the queue has it.",
        source="monitoring",
        topic="monitoring",
        chart="monitoring",
        interval_s=1.0,
    ),
    Demo(
        name="demo2",
        alias="/live/random-numbers",
        title="Socket.IO · random numbers",
        lead="Every number that is drawn, as a histogram with its mean and standard deviation, and one by one.",
        source="random-numbers",
        topic="random-numbers",
        chart="numbers",
        interval_s=1.0,
    ),
    Demo(
        name="demo3",
        alias="/spark/cassandra/census-data",
        title="Spark · Cassandra · census",
        lead="People by age and sex through 21 years, and incomes by state, computed by a Spark job and read back from the database.",
        source="census",
        topic="census-population",
        job="census",
        table="census_population",
        further_tables=("census_age", "census_income"),
        store="cassandra",
        chart="census",
        interval_s=0.0,
        rules=CENSUS_RULES,
    ),
    Demo(
        name="demo4",
        alias="/spark/disk/census-data",
        title="Spark · disk · census",
        lead="The same people and incomes, read back from Parquet files.",
        source="census",
        topic="census-population",
        job="census",
        table="census_population",
        further_tables=("census_age", "census_income"),
        store="disk",
        chart="census",
        interval_s=0.0,
        rules=CENSUS_RULES,
    ),
    Demo(
        name="demo5",
        alias="/spark-streaming/disk/random-numbers",
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
        alias="/spark-streaming/cassandra/random-numbers",
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
    Demo(
        name="demo7",
        alias="/spark-streaming/disk/monitoring",
        title="Spark Streaming · disk · monitoring",
        lead="Processor and memory of each host over the last five seconds, summed up by Spark every second, "
        "read back from Parquet files.",
        source="monitoring",
        topic="monitoring",
        job="monitoring",
        table="monitoring_windows",
        store="disk",
        chart="hosts",
        interval_s=1.0,
    ),
    Demo(
        name="demo8",
        alias="/spark-streaming/cassandra/monitoring",
        title="Spark Streaming · Cassandra · monitoring",
        lead="The same windows of the same hosts, read back from the database.",
        source="monitoring",
        topic="monitoring",
        job="monitoring",
        table="monitoring_windows",
        store="cassandra",
        chart="hosts",
        interval_s=1.0,
    ),
)

DEMOS: Mapping[str, Demo] = {demo.name: demo for demo in _ALL}
