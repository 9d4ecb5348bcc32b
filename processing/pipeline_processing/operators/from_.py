"""Which of the points that enter a task a pipeline takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from pipeline_processing.expressions import Expression
from pipeline_processing.operators.grouping import Grouping
from pipeline_processing.operators.operator import STREAM, Data, Edge, Step, Tick
from pipeline_processing.operators.options import Star, duration, expression, flag, option, string, tag_names
from pipeline_processing.operators.predicates import judged
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.go_time import rounded_ns, truncated_ns
from pipeline_processing.points.keys import Keys, PerSeries


@dataclass(slots=True)
class Chosen:
    """What is known of each series, and the expressions' states."""

    expressions: list[Any]
    taken: PerSeries | None = None
    groups: PerSeries | None = None

    def __getstate__(self) -> list[Any]:
        return self.expressions

    def __setstate__(self, expressions: list[Any]) -> None:
        self.expressions, self.taken, self.groups = expressions, None, None


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """Take some of the points, and say how they are grouped.

    In:    points.
    Out:   those of the measurement, database and retention policy, for which every `where` is true, in their groups and
           with their times truncated or rounded.
    From:  Kapacitor's `from`.
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
        return Step(state=state, out=replace(points, group=state.groups.of(points.series)), errors=errors)

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
