"""The state machine of alerts: what level each unit has, and whether an event comes of it.

A unit is a point of a stream, or a batch; units come in order of arrival. One pass decides all: what level a group is in
says which expressions its next point is asked.

In:    for each expression and row one verdict a time that it is asked (TRUE, FALSE, FAILED, or UNKNOWN where it was not
       computed, which counts as FALSE); it is asked twice where it is the current level's and is false at first.
State: for each group its level, times and history; for each alert's id the level and time of its last event.
Out:   for each unit its level, row, duration and previous level, and whether an event comes of it; for each expression and
       row how often it was asked, and for each expression how often that failed.
From:  Kapacitor's alert node: determineLevel, alertState, percentChange and restoreEvent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from pipeline_processing.points.store import grown, reset

FALSE, TRUE, FAILED, UNKNOWN = 0, 1, 2, 3
NEVER = np.iinfo(np.int64).min
LONGEST_NS = np.iinfo(np.int64).max
WEIGHT_NEWEST, WEIGHT_OLDEST = 1.2, 0.8
"""Of changes in the history."""


class Groups(NamedTuple):
    """By group. `history` is a ring whose newest is at `newest`; it has no columns unless flapping counts."""

    level: np.ndarray
    first_ns: np.ndarray
    last_ns: np.ndarray
    met: np.ndarray
    flapping: np.ndarray
    newest: np.ndarray
    history: np.ndarray


class Topic(NamedTuple):
    """By alert's id: the level and the time of its last event."""

    level: np.ndarray
    time_ns: np.ndarray


class Units(NamedTuple):
    """Unit i has the rows from `start[i]` to `start[i + 1]`; `end_ns` is its own time, a batch's `tmax`."""

    group: np.ndarray
    alert: np.ndarray
    end_ns: np.ndarray
    start: np.ndarray
    row_ns: np.ndarray


class Rules(NamedTuple):
    """`interval_ns` is how long an unchanged level is kept silent, 0 for ever; `restores`: a group that is new begins with
    the level of its alert's id."""

    batches: bool
    all_rows: bool
    changes_only: bool
    interval_ns: int
    recoveries: bool
    flapping: bool
    low: float
    high: float
    restores: bool
    info: bool
    warn: bool
    crit: bool
    info_reset: bool
    warn_reset: bool
    crit_reset: bool


class Asking(NamedTuple):
    """What is to be decided; `verdicts` are by expression, time of asking, and row."""

    units: Units
    rules: Rules
    verdicts: np.ndarray


class Decided(NamedTuple):
    """By unit; `before` is the group's level before it. `asked` is by expression and row, `failures` by expression."""

    before: np.ndarray
    level: np.ndarray
    row: np.ndarray
    event: np.ndarray
    time_ns: np.ndarray
    duration_ns: np.ndarray
    previous: np.ndarray
    asked: np.ndarray
    failures: np.ndarray


def no_groups(history: int) -> Groups:
    """`history` is 0 unless flapping counts."""
    return Groups(
        level=np.empty(0, dtype=np.int8),
        first_ns=np.empty(0, dtype=np.int64),
        last_ns=np.empty(0, dtype=np.int64),
        met=np.empty(0, dtype=np.bool_),
        flapping=np.empty(0, dtype=np.bool_),
        newest=np.empty(0, dtype=np.int32),
        history=np.empty((0, history), dtype=np.int8),
    )


def with_room(groups: Groups, count: int) -> Groups:
    if len(groups.level) >= count:
        return groups
    level = grown(groups.level, count)
    history = np.zeros((len(level) if groups.history.shape[1] else 0, groups.history.shape[1]), dtype=np.int8)
    history[: len(groups.history)] = groups.history
    return Groups(
        level=level,
        first_ns=grown(groups.first_ns, count, NEVER),
        last_ns=grown(groups.last_ns, count, NEVER),
        met=grown(groups.met, count),
        flapping=grown(groups.flapping, count),
        newest=grown(groups.newest, count),
        history=history,
    )


def unsettled(groups: Groups) -> np.ndarray:
    """Those that owe a recovery."""
    return np.flatnonzero((groups.level != 0) | groups.flapping)


def forget(groups: Groups, which: np.ndarray) -> None:
    """They begin anew, but those that owe a recovery."""
    met = which[which < len(groups.level)]
    which = met[(groups.level[met] == 0) & ~groups.flapping[met]]
    for array, name in zip(groups, Groups._fields, strict=True):
        reset(array, which, NEVER if name in {"first_ns", "last_ns"} else 0)


def blank(units: Units) -> Decided:
    """Where `decide` writes."""
    count, rows = len(units.group), len(units.row_ns)
    return Decided(
        before=np.zeros(count, dtype=np.int8),
        level=np.zeros(count, dtype=np.int8),
        row=np.zeros(count, dtype=np.int64),
        event=np.zeros(count, dtype=np.bool_),
        time_ns=np.zeros(count, dtype=np.int64),
        duration_ns=np.zeros(count, dtype=np.int64),
        previous=np.zeros(count, dtype=np.int8),
        asked=np.zeros((6, rows), dtype=np.int8),
        failures=np.zeros(6, dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def decide(asking, groups, topic, out):
    units, rules = asking.units, asking.rules
    for unit in range(len(units.group)):
        group, alert = units.group[unit], units.alert[unit]
        if units.start[unit] == units.start[unit + 1]:
            continue
        out.before[unit] = groups.level[group]
        if not groups.met[group]:
            groups.met[group] = True
            if rules.restores and topic.level[alert] != 0:
                _note(groups, group, topic.level[alert], rules)
                groups.first_ns[group] = groups.last_ns[group] = topic.time_ns[alert]
        _unit_level(unit, asking, groups.level[group], out)
        _event(unit, rules, groups, topic, (group, alert, out))


@njit(cache=True, nogil=True)
def _unit_level(unit, asking, current, out):
    units, rules = asking.units, asking.rules
    lowest, highest, best = 3, 0, units.start[unit]
    for row in range(units.start[unit], units.start[unit + 1]):
        level = _row_level(row, asking, current, out)
        lowest = min(lowest, level)
        if level > highest:
            highest, best = level, row
    out.level[unit] = lowest if rules.all_rows else highest
    out.row[unit] = best
    own = rules.batches and (rules.all_rows or out.level[unit] == 0)
    out.time_ns[unit] = units.end_ns[unit] if own else units.row_ns[best]


@njit(cache=True, nogil=True)
def _row_level(row, asking, current, out):
    rules, verdicts = asking.rules, asking.verdicts
    defined = (rules.info, rules.warn, rules.crit, rules.info_reset, rules.warn_reset, rules.crit_reset)
    for level in range(3, max(current - 1, 0), -1):
        if defined[level - 1] and _verdict(level - 1, row, verdicts, out) == TRUE:
            return level
    if current > 0 and defined[current + 2] and _verdict(current + 2, row, verdicts, out) == FALSE:
        return current
    for level in range(current, 0, -1):
        if defined[level - 1] and _verdict(level - 1, row, verdicts, out) == TRUE:
            return level
    return 0


@njit(cache=True, nogil=True)
def _verdict(expression, row, verdicts, out):
    verdict = verdicts[expression, out.asked[expression, row], row]
    out.asked[expression, row] += 1
    if verdict == FAILED:
        out.failures[expression] += 1
    return FALSE if verdict == UNKNOWN else verdict


@njit(cache=True, nogil=True)
def _event(unit, rules, groups, topic, of):
    group, alert, out = of
    level, time_ns = out.level[unit], out.time_ns[unit]
    before = groups.level[group]
    changed = level != before
    _note(groups, group, level, rules)
    waited = groups.last_ns[group] == NEVER or time_ns - groups.last_ns[group] >= rules.interval_ns
    expired = not changed and rules.interval_ns != 0 and waited
    silent = (rules.flapping and groups.flapping[group]) or (rules.changes_only and not changed and not expired)
    if level == 0 and not changed:
        return
    if silent and not (rules.batches and level == 0):
        return
    groups.last_ns[group] = time_ns
    if before == 0:
        groups.first_ns[group] = time_ns
    if level == 0 and not rules.recoveries:
        return
    first_ns = groups.first_ns[group]
    out.event[unit] = True
    out.duration_ns[unit] = LONGEST_NS if first_ns == NEVER else time_ns - first_ns
    out.previous[unit] = topic.level[alert]
    topic.level[alert], topic.time_ns[alert] = level, time_ns


@njit(cache=True, nogil=True)
def _note(groups, group, level, rules):
    """The group has this level now."""
    groups.level[group] = level
    if not rules.flapping:
        return
    history = groups.history[group]
    newest = (groups.newest[group] + 1) % len(history)
    groups.newest[group] = newest
    history[newest] = level
    change = _change(history, newest)
    if groups.flapping[group]:
        groups.flapping[group] = change >= rules.low
    else:
        groups.flapping[group] = change > rules.high


@njit(cache=True, nogil=True)
def _change(history, newest):
    """The weighted share of changes, summed in Kapacitor's order: it begins at the newest, goes round, and so counts the
    oldest against the newest and leaves out the pair before the newest."""
    pairs = len(history) - 1
    step = (WEIGHT_NEWEST - WEIGHT_OLDEST) / pairs
    weight, changes = WEIGHT_OLDEST, 0.0
    for i in range(pairs):
        at = (i + newest) % len(history)
        if history[at] != history[at - 1]:
            changes += weight
        weight += step
    return changes / pairs
