"""What batch tasks read; this server runs stream tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline_processing.operators.operator import STREAM, CannotRun, Data, Edge, Step, Tick
from pipeline_processing.operators.options import argument, string
from pipeline_processing.points.batches import no_batches
from pipeline_processing.points.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Where batch tasks begin.

    From:  Kapacitor's `batch`.
    """

    KIND: ClassVar[str] = "batch"
    TAKES: ClassVar[frozenset[Edge]] = STREAM
    GIVES: ClassVar[Edge | None] = "stream"

    def __post_init__(self) -> None:
        raise CannotRun("batch tasks are not run here: write the query's points to the server, and begin with stream")

    def initial(self) -> None:
        return None

    def step(self, state: None, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        return Step(state=None, out=no_batches())


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query of InfluxDB. It is read, so that a script can be laid out and looked at, and cannot be started.

    From:  Kapacitor's `query`.
    """

    KIND: ClassVar[str] = "query"
    TAKES: ClassVar[frozenset[Edge]] = STREAM
    GIVES: ClassVar[Edge | None] = "batch"

    query: str = argument(string, "InfluxQL")

    def initial(self) -> None:
        return None

    def step(self, state: None, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        return Step(state=None, out=no_batches())
