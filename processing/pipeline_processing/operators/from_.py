"""Which of the points that enter a task a pipeline takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from pipeline_processing.expressions import Expression
from pipeline_processing.operators.barrier import Barrier, Told
from pipeline_processing.operators.grouping import Grouping, too_many
from pipeline_processing.operators.operator import STREAM, Data, Edge, Step, Tick
from pipeline_processing.operators.options import Star, duration, expression, flag, option, string, tag_names
from pipeline_processing.operators.predicates import judged
from pipeline_processing.operators.reordering import Reordering
from pipeline_processing.points.frame import Frame, concatenated
from pipeline_processing.points.go_time import rounded_ns, truncated_ns
from pipeline_processing.points.keys import REFUSED, Ids, Keys, PerSeries

BEHIND_BARRIER = "the point is older than its group's last barrier"
LATE = "the point is late: older than its group's newest by more than lateness"


@dataclass(slots=True)
class Chosen:
    """What is known of each series, the expressions' states, the groups' timers, and the points that are held back."""

    expressions: list[Any]
    told: Told = field(default_factory=Told)
    held: Reordering = field(default_factory=Reordering)
    taken: PerSeries | None = None
    groups: PerSeries | None = None

    def __getstate__(self) -> tuple[list[Any], Told, Reordering]:
        return self.expressions, self.told, self.held

    def __setstate__(self, kept: tuple[list[Any], Told, Reordering]) -> None:
        self.expressions, self.told, self.held = kept
        self.taken = self.groups = None


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """Take some of the points, and say how they are grouped.

    In:      points; with `idle`, of a clock that runs with the engine's.
    State:   with `lateness`, points that are held back; with `idle`, a timer a group.
    Out:     those of the measurement, database and retention policy, for which every `where` is true, in their groups and
             with their times truncated or rounded. With `lateness`, each group's in the order of their times: a point comes
             when its group has one that is so much newer, or a barrier of its time; all that is held, when the task closes.
             With `idle`, barriers as `barrier` makes them.
    Refuses: a negative `lateness` or `idle`.
    From:    Kapacitor's `from`, which has neither `lateness` nor `idle`.
    """

    KIND: ClassVar[str] = "from"
    TAKES: ClassVar[frozenset[Edge]] = STREAM
    GIVES: ClassVar[Edge | None] = "stream"

    database: str = option("database", string, "", "only points of this database")
    retention_policy: str = option("retentionPolicy", string, "", "only points of this retention policy")
    measurement: str = option("measurement", string, "", "only points of this measurement")
    where: tuple[Expression, ...] = option("where", expression, (), "only points for which it is true", gathers=True)
    group_by: tuple[str, ...] | Star = option("groupBy", tag_names, (), "the tags that points are grouped by, or *")
    by_measurement: bool = option(
        "groupByMeasurement", flag, False, "points of each measurement are a group of their own"
    )
    truncate_ns: int = option("truncate", duration, 0, "times are cut to a multiple of this")
    round_ns: int = option("round", duration, 0, "times are rounded to a multiple of this, halves up")

    lateness_ns: int | None = option(
        "lateness",
        duration,
        None,
        "points are held back for so long, by their times, and put in order; later ones are dropped",
    )
    idle_ns: int = option(
        "idle", duration, 0, "a group without points for so long, by the clock, has its windows closed"
    )

    def __post_init__(self) -> None:
        if (self.lateness_ns or 0) < 0 or self.idle_ns < 0:
            raise ValueError("lateness and idle are not below 0s")

    @property
    def clocked(self) -> bool:
        return self.idle_ns > 0

    def due_ns(self, state: Chosen) -> int:
        """When a step is wanted though nothing came in."""
        return Barrier(idle_ns=self.idle_ns).due_ns(state.told)

    def forget(self, state: Chosen, groups: Ids) -> None:
        """What is held of them is dropped."""
        for where, known in zip(self.where, state.expressions, strict=True):
            where.forget(known, groups)
        if self.idle_ns:
            Barrier(idle_ns=self.idle_ns).forget(state.told, groups)
        state.held.forget(groups)

    def initial(self) -> Chosen:
        return Chosen(expressions=[each.initial() for each in self.where])

    def step(self, state: Chosen, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        points: Frame = inputs[0]
        if state.taken is None:
            state.taken = PerSeries(lambda each: int(self._takes(keys, each)))
            grouping = Grouping(by=self.group_by, by_measurement=self.by_measurement)
            state.groups = PerSeries(lambda each: grouping.group_id(keys, each))
        points = points.kept(state.taken.of(points.series) == 1)
        errors: dict[str, int] = {}
        for where, known in zip(self.where, state.expressions, strict=True):
            found = judged(where, points, known, tick, keys)
            points = points.kept(found.truth)
            errors |= {reason: count + errors.get(reason, 0) for reason, count in found.errors.items()}
        if self.truncate_ns or self.round_ns:
            points = replace(points, time_ns=self._moved(points.time_ns))
        group = state.groups.of(points.series)
        if (group == REFUSED).any():
            errors[too_many(keys)] = int((group == REFUSED).sum())
            points, group = points.kept(group != REFUSED), group[group != REFUSED]
        points = replace(points, group=group, barriers=inputs[0].barriers)
        out, late = self._in_time(state, points, tick, keys)
        return Step(state=state, out=out, errors=errors | late)

    def _in_time(self, state: Chosen, points: Frame, tick: Tick, keys: Keys) -> tuple[Frame, dict[str, int]]:
        """The points in order, followed by barriers; and how many were dropped, by reason."""
        late: dict[str, int] = {}
        if self.idle_ns:
            told = Barrier(idle_ns=self.idle_ns).step(state.told, [points], tick, keys)
            points = told.out
            late[BEHIND_BARRIER] = told.counted.get("late", 0)
        if self.lateness_ns is not None:
            points, late[LATE] = state.held.step(points, self.lateness_ns, keys)
            if tick.closing:
                points = replace(concatenated([points, state.held.rest()]), barriers=points.barriers)
        return points, {reason: count for reason, count in late.items() if count}

    def _takes(self, keys: Keys, series: int) -> bool:
        found = keys.series[series]
        return (
            self.measurement in {"", found.name}
            and self.database in {"", found.database}
            and self.retention_policy in {"", found.retention_policy}
        )

    def _moved(self, time_ns: np.ndarray) -> np.ndarray:
        if self.truncate_ns:
            time_ns = truncated_ns(time_ns, self.truncate_ns)
        return rounded_ns(time_ns, self.round_ns) if self.round_ns else time_ns
