"""Points of coarse groups beside those of finer ones, for `join` with `on`.

A point is fine if its group has more tags than the join is on; else it is a match, to be joined with each fine point whose
tags are its own.
In:    points (or batches) by slot, in the order of their arrival.
State: of each coarse group: matches, and fine points that wait for one, as queues; and the time of each parent's last point.
Out:   fine points with their matches, and alone where no match can come any more; what has left the queues.
From:  Kapacitor's `join`, to the letter: the oldest of the parents' last times is found there by a rule that takes a parent
       that gave nothing for one that gave everything, if it is the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit

from pipeline_processing.operators.arrivals import Arrivals
from pipeline_processing.operators.join_sets import NONE, UNSEEN
from pipeline_processing.points.keys import Group, Ids, Keys, PerSeries
from pipeline_processing.points.store import grown, reset


class Coarse:
    """For each group: the group of the tags that are joined on, and whether it has more; computed again from the keys."""

    def __init__(self, on: Sequence[str]) -> None:
        self._on = tuple(on)
        self._groups: PerSeries | None = None
        self._fine: PerSeries | None = None

    def __reduce__(self) -> tuple[type[Coarse], tuple[tuple[str, ...]]]:
        return Coarse, (self._on,)

    def of(self, group: Ids, keys: Keys) -> tuple[Ids, np.ndarray]:
        if self._groups is None or self._fine is None:
            self._groups = PerSeries(lambda each: self._coarse(keys, each))
            self._fine = PerSeries(lambda each: int(len(keys.groups[each].tags) > len(self._on)))
        return self._groups.of(group), self._fine.of(group) == 1

    def _coarse(self, keys: Keys, group: int) -> int:
        found = keys.groups[group]
        tags = dict(found.tags)
        return keys.group_id(Group(tuple((name, tags.get(name, "")) for name in self._on), found.name))


class Queues(NamedTuple):
    """Of each coarse group the ends of its two queues, and times the number of parents `newest_ns`; of each parent, whether
    it gave a point at all; of each slot its parent."""

    first_match: np.ndarray
    last_match: np.ndarray
    first_fine: np.ndarray
    last_fine: np.ndarray
    newest_ns: np.ndarray
    reported: np.ndarray
    parent: np.ndarray


class Slots(NamedTuple):
    time_ns: np.ndarray
    group: np.ndarray
    following: np.ndarray


class Came(NamedTuple):
    slot: np.ndarray
    parent: np.ndarray
    coarse: np.ndarray
    fine: np.ndarray


class Found(NamedTuple):
    """What goes into sets: the slot, the group and the arrival that made it go."""

    slot: np.ndarray
    group: np.ndarray
    by: np.ndarray


@dataclass(slots=True)
class Matching:
    coarse: Coarse
    parents: int
    queues: Queues = field(
        default_factory=lambda: Queues(
            *(np.empty(0, dtype=np.int64) for _ in range(5)), np.empty(0, dtype=bool), np.empty(0, dtype=np.int64)
        )
    )

    def found(self, came: Arrivals, slots: Slots, keys: Keys) -> tuple[Found, np.ndarray, np.ndarray]:
        """What goes into sets; the parent of each of it; and the slots that left the queues or came into none."""
        coarse, fine = self.coarse.of(came.group, keys)
        self._grow(len(keys.groups), len(slots.time_ns))
        self.queues.parent[came.slot] = came.parent
        found, left = _matched(Came(came.slot, came.parent, coarse, fine), self.queues, slots)
        return found, self.queues.parent[found.slot], left

    def forget(self, groups: Ids, following: np.ndarray) -> np.ndarray:
        """The slots of what waits in these coarse groups; none does any more, and no parent's time counts."""
        met = groups[groups < len(self.queues.first_match)]
        for parent in range(self.parents):
            reset(self.queues.newest_ns, met.astype(np.int64) * self.parents + parent, UNSEEN)
        matches = _emptied(met, self.queues.first_match, following)
        return np.concatenate((matches, _emptied(met, self.queues.first_fine, following)))

    def forget_times(self) -> None:
        """Of all groups and parents."""
        self.queues.newest_ns[:] = UNSEEN

    def _grow(self, groups: int, slots: int) -> None:
        old = self.queues
        ends = (grown(each, groups, NONE) for each in old[:4])
        reported = old.reported if len(old.reported) else np.zeros(self.parents, dtype=bool)
        newest_ns = grown(old.newest_ns, groups * self.parents, UNSEEN)
        self.queues = Queues(*ends, newest_ns, reported, grown(old.parent, slots))


@njit(cache=True, nogil=True)
def _matched(came, queues, slots):
    found = Found(np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64))
    left, n, gone = np.empty(64, dtype=np.int64), 0, 0
    parents = len(queues.reported)
    for i in range(len(came.slot)):
        slot, parent, coarse = came.slot[i], came.parent[i], came.coarse[i]
        queues.reported[parent] = True
        queues.newest_ns[coarse * parents + parent] = slots.time_ns[slot]
        reported = queues.reported.all()
        mark = _mark(queues, coarse) if reported else UNSEEN
        began = n
        if reported:
            found, n, left, gone = _passed_alone(queues, slots, (coarse, mark), (found, n), (left, gone))
        if came.fine[i]:
            matched, found, n = _with_matches(queues, slots, (coarse, mark, slot), (found, n))
            if reported:
                left, gone = _purged(queues, slots, (coarse, mark), (left, gone))
            if matched or (reported and slots.time_ns[slot] < mark):
                if not matched:
                    found, n = _added(found, n, slot, slots.group[slot])
                left, gone = _appended(left, gone, slot)
            else:
                _enqueue(queues.first_fine, queues.last_fine, slots.following, (coarse, slot))
        else:
            _enqueue(queues.first_match, queues.last_match, slots.following, (coarse, slot))
            found, n, left, gone = _with_waiting(queues, slots, (coarse, slot), (found, n), (left, gone))
        found.by[began:n] = i
    return Found(found.slot[:n], found.group[:n], found.by[:n]), left[:gone]


@njit(cache=True, nogil=True)
def _mark(queues, coarse):
    mark = UNSEEN
    parents = len(queues.reported)
    for parent in range(parents):
        newest_ns = queues.newest_ns[coarse * parents + parent]
        if mark == UNSEEN or newest_ns < mark:
            mark = newest_ns
    return mark


@njit(cache=True, nogil=True)
def _passed_alone(queues, slots, coarse_mark, into, gone_into):
    """Fine points older than the mark go without a match."""
    (coarse, mark), (found, n), (left, gone) = coarse_mark, into, gone_into
    while queues.first_fine[coarse] >= 0 and slots.time_ns[queues.first_fine[coarse]] < mark:
        slot = queues.first_fine[coarse]
        found, n = _added(found, n, slot, slots.group[slot])
        left, gone = _appended(left, gone, slot)
        queues.first_fine[coarse] = slots.following[slot]
    return found, n, left, gone


@njit(cache=True, nogil=True)
def _with_matches(queues, slots, what, into):
    """A fine point with each match of its time, up to the first that is not older than the mark."""
    (coarse, mark, slot), (found, n) = what, into
    matched = False
    match = queues.first_match[coarse]
    while match >= 0:
        if slots.time_ns[match] == slots.time_ns[slot]:
            found, n = _added(found, n, slot, slots.group[slot])
            found, n = _added(found, n, match, slots.group[slot])
            matched = True
        if slots.time_ns[match] >= mark:
            break
        match = slots.following[match]
    return matched, found, n


@njit(cache=True, nogil=True)
def _purged(queues, slots, coarse_mark, gone_into):
    """Matches older than the mark are of no more use."""
    (coarse, mark), (left, gone) = coarse_mark, gone_into
    while queues.first_match[coarse] >= 0 and slots.time_ns[queues.first_match[coarse]] < mark:
        left, gone = _appended(left, gone, queues.first_match[coarse])
        queues.first_match[coarse] = slots.following[queues.first_match[coarse]]
    return left, gone


@njit(cache=True, nogil=True)
def _with_waiting(queues, slots, what, into, gone_into):
    """A match with the fine points that wait first, as long as they are of its time."""
    (coarse, match), (found, n), (left, gone) = what, into, gone_into
    while queues.first_fine[coarse] >= 0 and slots.time_ns[queues.first_fine[coarse]] == slots.time_ns[match]:
        slot = queues.first_fine[coarse]
        found, n = _added(found, n, slot, slots.group[slot])
        found, n = _added(found, n, match, slots.group[slot])
        left, gone = _appended(left, gone, slot)
        queues.first_fine[coarse] = slots.following[slot]
    return found, n, left, gone


@njit(cache=True, nogil=True)
def _enqueue(first, last, following, what):
    coarse, slot = what
    following[slot] = NONE
    if first[coarse] < 0:
        first[coarse] = slot
    else:
        following[last[coarse]] = slot
    last[coarse] = slot


@njit(cache=True, nogil=True)
def _emptied(groups, first, following):
    left, gone = np.empty(64, dtype=np.int64), 0
    for group in groups:
        while first[group] >= 0:
            left, gone = _appended(left, gone, first[group])
            first[group] = following[first[group]]
    return left[:gone]


@njit(cache=True, nogil=True)
def _added(found, n, slot, group):
    if n == len(found.slot):
        found = Found(
            np.append(found.slot, np.empty_like(found.slot)),
            np.append(found.group, np.empty_like(found.group)),
            np.append(found.by, np.empty_like(found.by)),
        )
    found.slot[n], found.group[n] = slot, group
    return found, n + 1


@njit(cache=True, nogil=True)
def _appended(left, gone, slot):
    if gone == len(left):
        left = np.append(left, np.empty_like(left))
    left[gone] = slot
    return left, gone + 1
