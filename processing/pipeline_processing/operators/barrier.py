"""Groups' time, moved on by the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import numpy as np
from numba import njit

from pipeline_processing.operators.operator import EITHER, CannotRun, Data, Edge, Step, Tick
from pipeline_processing.operators.options import duration, flag, option
from pipeline_processing.operators.runs import forgotten, rows_of, with_rows_of
from pipeline_processing.points.barriers import Barriers, one_after_the_other
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import grown

NONE = -1
STOPPED = 0
LONG_AGO = np.iinfo(np.int64).min
NEVER = np.iinfo(np.int64).max


class Timers(NamedTuple):
    """By group, as a list in the order in which they are due; `ends` are its first and its last group.

    Each timer that is set is due last, so that the list stays in order and a step costs what it sets.
    """

    due_ns: np.ndarray
    before: np.ndarray
    after: np.ndarray
    barrier_ns: np.ndarray
    last_ns: np.ndarray
    """The time of the last point, or, if that came later, of the last barrier."""
    ends: np.ndarray


class Rule(NamedTuple):
    wait_ns: int
    idle: bool
    forget: bool


def no_timers() -> Timers:
    none = np.empty(0, dtype=np.int64)
    return Timers(none, none, none, none, none, np.full(2, NONE))


@dataclass(slots=True)
class Told:
    timers: Timers = field(default_factory=no_timers)
    cause: int = 0

    def grow(self, groups: int) -> None:
        fills = {"due_ns": STOPPED, "before": NONE, "after": NONE, "barrier_ns": LONG_AGO, "last_ns": LONG_AGO}
        now = self.timers._asdict()
        self.timers = self.timers._replace(**{name: grown(now[name], groups, fill) for name, fill in fills.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """Tell what follows, by group, that its time has come to that of the clock.

    In:      points in arrival order; with `period`, of a clock that runs with the engine's.
    State:   a timer a group, and the time of its last barrier.
    Out:     the points, without those older than their group's last barrier. A group has a barrier each period, counted
             from its first point, or, with `idle`, so long after its last point, and again as long as none comes. Barriers
             come after the points of their step: what waited in front of a task that stood still is not lost. With
             `period` they have the clock's time; with `idle` that of the last point, or of the barrier since, and as much
             more as the group was idle for, so that a source whose clock is behind loses nothing.
    Refuses: neither or both of idle and period.
    From:    Kapacitor's `barrier`.
    """

    KIND: ClassVar[str] = "barrier"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None
    COUNTS: ClassVar[Sequence[str]] = ("late",)

    idle_ns: int = option("idle", duration, 0, "how long after the last point of a group")
    period_ns: int = option("period", duration, 0, "how often")
    forgets: bool = option("delete", flag, False, "keep nothing of a group after its barrier")

    def __post_init__(self) -> None:
        if self.idle_ns != 0 and self.period_ns != 0:
            raise ValueError("cannot specify both idle and period")
        if self._wait_ns <= 0:
            raise CannotRun("barrier node must have either a non zero idle or a non zero period")

    @property
    def _wait_ns(self) -> int:
        return self.idle_ns or self.period_ns

    def initial(self) -> Told:
        return Told()

    def due_ns(self, state: Told) -> int:
        """When a step is wanted though nothing came in."""
        first = int(state.timers.ends[0])
        return NEVER if first == NONE else int(state.timers.due_ns[first])

    def forget(self, state: Told, groups: Ids) -> None:
        _forget(groups[groups < len(state.timers.due_ns)], state.timers)

    def step(self, state: Told, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data, rows = inputs[0], rows_of(inputs[0])
        state.grow(len(keys.groups))
        if len(rows):
            state.cause = int(rows.cause[-1])
        due_ns = tick.now_ns + self._wait_ns
        kept = _passed(rows.group, rows.time_ns, due_ns, self.idle_ns > 0, state.timers)
        barriers = one_after_the_other(data.barriers, self._barriers(state, tick.now_ns))
        self.forget(state, forgotten(data))
        out = replace(with_rows_of(data, kept, lambda left: left), barriers=barriers)
        return Step(state=state, out=out, counted=_counted(rows, kept))

    def _barriers(self, state: Told, now_ns: int) -> Barriers | None:
        group, time_ns = _due(now_ns, Rule(self._wait_ns, self.idle_ns > 0, self.forgets), state.timers)
        if not len(group):
            return None
        return Barriers(
            group=group.astype(np.int32),
            time_ns=time_ns,
            cause=np.full(len(group), state.cause),
            forget=np.full(len(group), self.forgets),
        )


def _counted(rows: Frame, kept: np.ndarray) -> Mapping[str, int]:
    late = len(rows) - int(kept.sum())
    return {"late": late} if late else {}


@njit(cache=True, nogil=True)
def _passed(group, time_ns, due_ns, idle, timers):
    """Which rows are not too old; they set their groups' timers."""
    kept = np.zeros(len(group), dtype=np.bool_)
    for i in range(len(group)):
        each = group[i]
        if time_ns[i] < timers.barrier_ns[each]:
            continue
        kept[i], timers.last_ns[each] = True, time_ns[i]
        runs = timers.due_ns[each] != STOPPED
        if runs and idle:
            _unset(timers, each)
        if not runs or idle:
            _set(timers, each, due_ns)
    return kept


@njit(cache=True, nogil=True)
def _due(now_ns, rule, timers):
    """The groups whose timers are due, in that order, and the times of their barriers; the timers are set again."""
    count, group = 0, timers.ends[0]
    while group != NONE and timers.due_ns[group] <= now_ns:
        count, group = count + 1, timers.after[group]
    due, time_ns = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    for i in range(count):
        group = timers.ends[0]
        due[i] = group
        _unset(timers, group)
        time_ns[i] = timers.last_ns[group] + rule.wait_ns if rule.idle else now_ns
        timers.last_ns[group], timers.barrier_ns[group] = time_ns[i], LONG_AGO if rule.forget else time_ns[i]
        if not rule.forget:
            _set(timers, group, now_ns + rule.wait_ns)
    return due, time_ns


@njit(cache=True, nogil=True)
def _forget(groups, timers):
    for group in groups:
        if timers.due_ns[group] != STOPPED:
            _unset(timers, group)
        timers.barrier_ns[group], timers.last_ns[group] = LONG_AGO, LONG_AGO


@njit(cache=True, nogil=True)
def _unset(timers, group):
    before, after = timers.before[group], timers.after[group]
    if before == NONE:
        timers.ends[0] = after
    else:
        timers.after[before] = after
    if after == NONE:
        timers.ends[1] = before
    else:
        timers.before[after] = before
    timers.due_ns[group] = STOPPED


@njit(cache=True, nogil=True)
def _set(timers, group, due_ns):
    last = timers.ends[1]
    timers.before[group], timers.after[group], timers.due_ns[group] = last, NONE, due_ns
    if last == NONE:
        timers.ends[0] = group
    else:
        timers.after[last] = group
    timers.ends[1] = group
