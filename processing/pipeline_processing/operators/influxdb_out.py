"""Points written into InfluxDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import a_string, arguments, duration, flag, integer, option, string
from pipeline_processing.operators.outside import Rows
from pipeline_processing.operators.runs import rows_of
from pipeline_processing.operators.tagging import tagged_alike
from pipeline_processing.points.keys import Keys

FLUSH_NS = 10_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxDbOut:
    """Write points as line protocol to an InfluxDB over HTTP; what it does not take is kept and sent again.

    Out:   nothing.
    From:  Kapacitor's `influxDBOut`.
    """

    KIND: ClassVar[str] = "influxDBOut"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None
    COUNTS: ClassVar[tuple[str, ...]] = ("points_written", "write_errors", "points_given_up", "points_waiting")
    """What is counted of its rows when they have left, in the order of Counted."""

    cluster: str = option("cluster", string, "", "which InfluxDB of the server's configuration; its default if unset")
    database: str = option("database", string, "", "the database; each point's own if unset")
    retention_policy: str = option(
        "retentionPolicy", string, "", "the retention policy; the database's default if unset"
    )
    measurement: str = option("measurement", string, "", "the measurement; each point's own if unset")
    write_consistency: str = option("writeConsistency", string, "", "how many of a cluster must have it")
    precision: str = option("precision", string, "", "of times: n, u, ms, s, m or h; ns if unset")
    buffer: int = option("buffer", integer, 1000, "so many points are written at once")
    flush_interval_ns: int = option("flushInterval", duration, FLUSH_NS, "fewer are written after this")
    create: bool = option("create", flag, False, "make the database first")
    tags: tuple[tuple[str, str], ...] = option(
        "tag", arguments(("a name", a_string), ("a value", a_string)), (), "a tag for every point", gathers=True
    )

    def initial(self) -> None:
        return None

    def step(self, state: None, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        points = tagged_alike(rows_of(inputs[0]), self.tags, keys)
        rows = Rows(
            url=self.cluster,
            database=self.database,
            retention_policy=self.retention_policy,
            measurement=self.measurement,
            precision=self.precision,
            write_consistency=self.write_consistency,
            buffer=self.buffer,
            flush_interval_ns=self.flush_interval_ns,
            create=self.create,
            points=points,
        )
        return Step(state=None, out=inputs[0], emitted=(rows,) if len(points) else ())
