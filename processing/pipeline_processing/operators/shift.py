"""Points at other times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pipeline_processing.operators.operator import EITHER, CannotRun, Data, Edge, Step, Tick
from pipeline_processing.operators.options import argument, duration
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Add a duration to the times of points and batches; it may be below zero.

    Refuses: a duration of 0.
    From:    Kapacitor's `shift`.
    """

    KIND: ClassVar[str] = "shift"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    by_ns: int = argument(duration, "what is added to each time, such as 5m or -10s")

    def __post_init__(self) -> None:
        if self.by_ns == 0:
            raise CannotRun("invalid shift value: must be non zero duration")

    def initial(self) -> None:
        return None

    def step(self, state: None, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data = inputs[0]
        if isinstance(data, Batches):
            out: Data = replace(data, tmax_ns=data.tmax_ns + self.by_ns, rows=self._shifted(data.rows))
        else:
            out = self._shifted(data)
        return Step(state=state, out=out)

    def _shifted(self, rows: Frame) -> Frame:
        return replace(rows, time_ns=rows.time_ns + self.by_ns)
