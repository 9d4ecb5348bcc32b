"""Where points enter a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline_processing.operators.operator import STREAM, Data, Edge, Step, Tick
from pipeline_processing.points.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The points of the task's databases and retention policies, as they were written.

    From:  Kapacitor's `stream`.
    """

    KIND: ClassVar[str] = "stream"
    TAKES: ClassVar[frozenset[Edge]] = STREAM
    GIVES: ClassVar[Edge | None] = "stream"

    def initial(self) -> None:
        return None

    def step(self, state: None, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        return Step(state=None, out=inputs[0])
