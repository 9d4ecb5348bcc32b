"""How many points a node has passed on, told at intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import argument, duration, flag, option
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Column, Frame, empty_frame
from pipeline_processing.points.go_time import truncated_ns
from pipeline_processing.points.keys import Ids, Keys, Series
from pipeline_processing.points.store import grown, reset

UNSEEN = -1


@dataclass(slots=True)
class Passed:
    """How many points each group has had; groups in order of their first."""

    count: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    groups: list[int] = field(default_factory=list)
    cause: int = 0
    due_ns: int = 0
    """0 before the first step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """A point a group at each interval of the clock, with `emitted`: how many points the node before has passed on.

    In:    what that node passes on.
    From:  Kapacitor's `stats`.
    """

    KIND: ClassVar[str] = "stats"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = "stream"
    STEADY: ClassVar[bool] = True
    """When it is due depends on the clock alone, not on points."""

    interval_ns: int = argument(duration, "how often")
    align: bool = option("align", flag, False, "at multiples of the interval")

    def initial(self) -> Passed:
        return Passed()

    def due_ns(self, state: Passed) -> int:
        """When a step is wanted though nothing came in."""
        return state.due_ns

    def forget(self, state: Passed, groups: Ids) -> None:
        reset(state.count, groups, UNSEEN)
        state.groups = [each for each in state.groups if state.count[each] != UNSEEN]

    def step(self, state: Passed, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        self._count(state, inputs[0], keys)
        if not state.due_ns:
            state.due_ns = self._after(tick.now_ns)
        out = empty_frame()
        if tick.now_ns >= state.due_ns:
            at_ns = state.due_ns if tick.now_ns < state.due_ns + self.interval_ns else self._latest(state, tick.now_ns)
            out = self._told(state, at_ns, keys)
            state.due_ns = self._after(at_ns)
        return Step(state=state, out=out)

    def _after(self, now_ns: int) -> int:
        next_ns = now_ns + self.interval_ns
        return int(truncated_ns(np.array(next_ns), self.interval_ns)) if self.align else next_ns

    def _latest(self, state: Passed, now_ns: int) -> int:
        """The newest time at which it was due; those before it were missed while the task stood still."""
        return now_ns - (now_ns - state.due_ns) % self.interval_ns

    def _count(self, state: Passed, data: Data, keys: Keys) -> None:
        if len(data) == 0:
            return
        state.count = grown(state.count, len(keys.groups), fill=UNSEEN)
        state.cause = int(data.cause[-1])
        groups, first = np.unique(data.group, return_index=True)
        by_arrival = groups[np.argsort(first)]
        new = by_arrival[state.count[by_arrival] == UNSEEN]
        state.groups.extend(new.tolist())
        state.count[new] = 0
        np.add.at(state.count, data.group, data.sizes if isinstance(data, Batches) else 1)

    def _told(self, state: Passed, at_ns: int, keys: Keys) -> Frame:
        groups = np.array(state.groups, dtype=np.int32)
        series = [keys.series_id(Series("", "", "stats", keys.groups[each].tags)) for each in state.groups]
        return Frame(
            time_ns=np.full(len(groups), at_ns, dtype=np.int64),
            series=np.array(series, dtype=np.int32),
            group=groups,
            cause=np.full(len(groups), state.cause, dtype=np.int64),
            fields={("emitted", "int"): Column(state.count[groups])} if len(groups) else {},
        )
