"""Windows over the points of each group, by their own times or by their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from pipeline_processing.operators.group_series import GroupSeries
from pipeline_processing.operators.operator import STREAM, CannotRun, Data, Edge, Step, Tick
from pipeline_processing.operators.options import duration, flag, integer, option
from pipeline_processing.operators.ring_windows import (
    NONE,
    CountRule,
    Emitted,
    Rings,
    Rows,
    TimeRule,
    forgotten,
    grown_rings,
    no_rings,
    windows_of_count,
    windows_of_time,
    zero_ns,
)
from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.batches import Batches, joined, no_batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import RowStore, grown, reset


@dataclass(slots=True)
class Held:
    """The points that windows hold, each group's as a list; `series` is that of the group's windows."""

    store: RowStore = field(default_factory=RowStore)
    rings: Rings = field(default_factory=no_rings)
    series: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    known: GroupSeries = field(default_factory=GroupSeries)

    def rows(self, points: Frame, keys: Keys) -> Rows:
        """The points, now held, as the kernels take them."""
        slot = self.store.add(points)
        self.rings = grown_rings(self.rings, len(keys.groups))
        return Rows(points.group, points.time_ns, slot, self.store.time_ns, self.store.next)

    def forget(self, groups: Ids) -> None:
        """What is held of these groups is in no window any more."""
        met = groups[groups < len(self.rings.size)]
        self.store.free(forgotten(met, self.rings, self.store.next))
        reset(self.series, groups, -1)

    def held_series(self) -> Ids:
        return np.concatenate((self.series, self.store.held_series()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Batches of the newest points of each group.

    In:      points in arrival order. Only points of a group move its windows, by their times.
    State:   the points held, a ring a group.
    Out:     by time, what is in [next - period, next) once a point at `next` or later comes; then `next` is that point's time
             + every, truncated to a multiple of `every` from the year 1 if aligned. Where `every` is 0, each point gives those
             in (its time - period, its time]. By count, the newest `periodCount` with each `everyCount`th point. A batch
             may be empty. It has the measurement of its group's first point. Barriers move windows by time as points do.
    Refuses: neither or both of period and periodCount, align by count, everyCount below 1.
    From:    Kapacitor's `window` (1.5): points out of order go into whatever is open, and a gap makes no empty windows.
    """

    KIND: ClassVar[str] = "window"
    TAKES: ClassVar[frozenset[Edge]] = STREAM
    GIVES: ClassVar[Edge | None] = "batch"

    period_ns: int = option("period", duration, 0, "the time that a window spans")
    every_ns: int = option("every", duration, 0, "how often it is emitted; 0s is with each point")
    align: bool = option("align", flag, False, "emit at multiples of `every`")
    fill_period: bool = option("fillPeriod", flag, False, "wait for the first period to be full")
    period_count: int = option("periodCount", integer, 0, "the points that a window has")
    every_count: int = option("everyCount", integer, 0, "emit it with each so many points")

    def __post_init__(self) -> None:
        if self.period_count != 0 and self.period_ns != 0:
            raise ValueError("cannot specify both period and periodCount")
        if self.period_count == 0 and self.period_ns == 0:
            raise CannotRun("window node must have either a non zero period or non zero period count")
        if self.period_count != 0 and self.align:
            raise ValueError("can only align windows based off time, not count")
        if self.period_count != 0 and self.every_count <= 0:
            raise ValueError("everyCount must be greater than zero")

    def initial(self) -> Held:
        return Held()

    def forget(self, state: Held, groups: Ids) -> None:
        state.forget(groups)

    def step(self, state: Held, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        points: Frame = inputs[0]
        out = self._of_points(state, points, keys) if len(points) else no_batches()
        if points.barriers is not None:
            state.rings = grown_rings(state.rings, len(keys.groups))
            if not self.period_count:
                out = joined([out, self._of_barriers(state, points.barriers)])
            state.forget(points.barriers.forgotten())
        return Step(state=state, out=out)

    def _of_points(self, state: Held, points: Frame, keys: Keys) -> Batches:
        rows = state.rows(points, keys)
        _name_groups(state, points, keys)
        if self.period_count:
            emitted = windows_of_count(
                rows, state.rings, CountRule(self.period_count, self.every_count, self.fill_period)
            )
        else:
            emitted = windows_of_time(rows, state.rings, self._rule())
        out = _batches(state, points, emitted)
        state.store.free(emitted.freed)
        return out

    def _of_barriers(self, state: Held, barriers: Barriers) -> Batches:
        """A barrier is as a point that no window holds."""
        begun = state.rings.count[barriers.group] > 0
        moved = replace(barriers, group=barriers.group[begun], cause=barriers.cause[begun])
        nowhere = np.full(len(moved), NONE)
        rows = Rows(moved.group, barriers.time_ns[begun], nowhere, state.store.time_ns, state.store.next)
        emitted = windows_of_time(rows, state.rings, self._rule())
        out = _batches(state, moved, emitted)
        state.store.free(emitted.freed)
        return out

    def _rule(self) -> TimeRule:
        return TimeRule(self.period_ns, self.every_ns, self.align, self.fill_period, zero_ns(self.every_ns))


def _name_groups(held: Held, points: Frame, keys: Keys) -> None:
    held.series = grown(held.series, len(keys.groups), -1)
    new = np.flatnonzero(held.series[points.group] < 0)
    if len(new):
        groups, first = np.unique(points.group[new], return_index=True)
        held.series[groups] = held.known.of(groups, points.series[new[first]], keys)


def _batches(held: Held, points: Frame | Barriers, emitted: Emitted) -> Batches:
    group = points.group[emitted.row]
    return Batches(
        tmax_ns=emitted.tmax_ns,
        series=held.series[group],
        group=group,
        cause=points.cause[emitted.row],
        start=emitted.start,
        rows=held.store.take(emitted.slots),
    )
