"""What batch tasks read. They can be defined, listed and drawn; this server runs stream tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline_processing.operators.operator import STREAM, Data, Edge, Step, Tick
from pipeline_processing.operators.options import (
    STAR,
    Arguments,
    TimeBucket,
    a_number,
    a_string,
    argument,
    duration,
    flag,
    one,
    option,
    string,
)
from pipeline_processing.points.batches import no_batches
from pipeline_processing.points.frame import empty_frame
from pipeline_processing.points.keys import Keys


def dimensions(given: Arguments) -> tuple[Any, ...]:
    """Names of tags, `*`, and one `time(..)`."""
    if sum(isinstance(each, TimeBucket) for each in given) > 1:
        raise ValueError("takes one time(..)")
    return tuple(each if each is STAR or isinstance(each, TimeBucket) else a_string(each) for each in given)


def a_fill(value: Any) -> str | float | int:
    return value if type(value) is str else a_number(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Where batch tasks begin. They are kept and not run.

    From:  Kapacitor's `batch`.
    """

    KIND: ClassVar[str] = "batch"
    TAKES: ClassVar[frozenset[Edge]] = STREAM
    GIVES: ClassVar[Edge | None] = "stream"
    IS_DRAWN: ClassVar[bool] = False
    NOT_RUN: ClassVar[str] = (
        "batch queries against InfluxDB are not run here: have the points that the query reads written to this server "
        "too, as Telegraf's InfluxDB output does, and begin with stream|from(), window() in place of period and every"
    )
    """Why no task that has it can be started."""

    def initial(self) -> None:
        return None

    def step(self, state: None, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        return Step(state=None, out=empty_frame())


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query of InfluxDB. It is read, so that a script can be laid out, kept and looked at, and is not run.

    From:  Kapacitor's `query`.
    """

    KIND: ClassVar[str] = "query"
    TAKES: ClassVar[frozenset[Edge]] = STREAM
    GIVES: ClassVar[Edge | None] = "batch"

    query: str = argument(string, "InfluxQL")
    period_ns: int = option("period", duration, 0, "how long a span is asked for")
    every_ns: int = option("every", duration, 0, "how often")
    cron: str = option("cron", string, "", "when, in place of every")
    offset_ns: int = option("offset", duration, 0, "how long before now the span ends")
    align: bool = option("align", flag, False, "spans begin and end at multiples of every")
    align_group: bool = option("alignGroup", flag, False, "buckets of time begin with the span")
    group_by: tuple[Any, ...] = option("groupBy", dimensions, (), "tags, or `*`, and buckets of time")
    by_measurement: bool = option("groupByMeasurement", flag, False, "measurements are groups apart")
    fill: str | float | int = option(
        "fill", one(a_fill), "", "what stands for missing values: a number, null, none, previous, linear"
    )
    cluster: str = option("cluster", string, "", "which InfluxDB")

    def initial(self) -> None:
        return None

    def step(self, state: None, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        return Step(state=None, out=no_batches())
