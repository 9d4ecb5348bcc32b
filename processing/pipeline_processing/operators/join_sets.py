"""Sets of points to be joined: one of each parent, of one group and time.

In:    points (or batches) by slot, in the order of their arrival, each with its group, parent and time.
State: of each group its sets as a list, by time and within a time by arrival; and the time of each parent's last point.
Out:   a set as it is complete and the group's oldest; and whole or not, once every parent's last point is newer than it.
       A second point of one parent and time begins another set.
From:  Kapacitor's `join`; there as here, only a point of the group lets its sets go, and one complete set behind another
       waits for the next.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from pipeline_processing.points.store import grown

UNSEEN = np.iinfo(np.int64).min
NONE = -1


class Sets(NamedTuple):
    """Of each group `first`, `last` (its list's ends), `rank` (how many groups came before it) and, times the number of
    parents, `newest_ns`; the rest is of sets, `slot` times the number of parents. `counts` has the number of sets that are
    free, which are the first of `free`, and that of groups that came."""

    first: np.ndarray
    last: np.ndarray
    rank: np.ndarray
    newest_ns: np.ndarray
    time_ns: np.ndarray
    before: np.ndarray
    after: np.ndarray
    slot: np.ndarray
    free: np.ndarray
    counts: np.ndarray

    @property
    def count(self) -> int:
        return len(self.time_ns) - int(self.counts[0])


class Collected(NamedTuple):
    """What is to be put into sets: an entry each, in order. One whose slot is NONE is a barrier, which moves its parent's time."""

    slot: np.ndarray
    parent: np.ndarray
    group: np.ndarray
    time_ns: np.ndarray


class Joined(NamedTuple):
    """Sets that came out: `slot` has a column a parent, -1 where it gave no point; `by` is the entry that let each out."""

    slot: np.ndarray
    time_ns: np.ndarray
    group: np.ndarray
    by: np.ndarray


def no_sets() -> Sets:
    return Sets(*(np.empty(0, dtype=np.int64) for _ in range(9)), np.zeros(2, dtype=np.int64))


def grown_sets(sets: Sets, *, groups: int, parents: int, more: int) -> Sets:
    """With room for all groups, and for so many more sets."""
    before = len(sets.time_ns)
    wanted = sets.count + more
    time_ns = grown(sets.time_ns, wanted)
    capacity = len(time_ns)
    fresh = np.arange(capacity - 1, before - 1, -1)
    free = grown(sets.free, capacity)
    count = sets.counts[0]
    free[count : count + len(fresh)] = fresh
    sets.counts[0] = count + len(fresh)
    return Sets(
        first=grown(sets.first, groups, NONE),
        last=grown(sets.last, groups, NONE),
        rank=grown(sets.rank, groups, NONE),
        newest_ns=grown(sets.newest_ns, groups * parents, UNSEEN),
        time_ns=time_ns,
        before=grown(sets.before, capacity, NONE),
        after=grown(sets.after, capacity, NONE),
        slot=grown(sets.slot, capacity * parents, NONE),
        free=free,
        counts=sets.counts,
    )


@njit(cache=True, nogil=True)
def collect(sets, collected, parents, closing):
    """Put the entries into sets; those that come out, as `Joined`. At the end of the task all do."""
    room = len(sets.time_ns) - sets.counts[0] + len(collected.slot)
    out = Joined(
        np.empty((room, parents), dtype=np.int64),
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int64),
    )
    n = 0
    for i in range(len(collected.slot)):
        group, parent, time_ns = collected.group[i], collected.parent[i], collected.time_ns[i]
        if collected.slot[i] != NONE:
            if sets.rank[group] < 0:
                sets.rank[group] = sets.counts[1]
                sets.counts[1] += 1
            one = _set_for(sets, group, (parent, parents), time_ns)
            sets.slot[one * parents + parent] = collected.slot[i]
        sets.newest_ns[group * parents + parent] = time_ns
        before, n = n, _emit(sets, group, parents, out, n)
        out.by[before:n] = i
    if closing:
        for group in np.argsort(sets.rank):
            while sets.first[group] >= 0:
                n = _emit_first(sets, group, parents, out, n)
                out.by[n - 1] = NONE
    return Joined(out.slot[:n], out.time_ns[:n], out.group[:n], out.by[:n])


@njit(cache=True, nogil=True)
def forgotten(groups, sets, parents):
    """The slots of all that these groups hold; they hold nothing any more, and begin anew."""
    room = len(sets.time_ns) - sets.counts[0]
    out = Joined(
        np.empty((room, parents), dtype=np.int64),
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int64),
    )
    n = 0
    for group in groups:
        while sets.first[group] >= 0:
            n = _emit_first(sets, group, parents, out, n)
        sets.rank[group] = NONE
        sets.newest_ns[group * parents : (group + 1) * parents] = UNSEEN
    return out.slot[:n]


@njit(cache=True, nogil=True)
def _set_for(sets, group, parent_of, time_ns):
    """The first set of this time that lacks the parent's point; a new one if there is none."""
    parent, parents = parent_of
    first, last = sets.first[group], sets.last[group]
    if last < 0 or time_ns < sets.time_ns[first]:
        return _insert_after(sets, group, NONE, parents, time_ns)
    if time_ns > sets.time_ns[last] or (time_ns == sets.time_ns[last] and sets.slot[last * parents + parent] >= 0):
        return _insert_after(sets, group, last, parents, time_ns)
    if time_ns - sets.time_ns[first] <= sets.time_ns[last] - time_ns:
        at = first
        while sets.time_ns[at] < time_ns:
            at = sets.after[at]
    else:
        at = last
        while sets.time_ns[at] > time_ns:
            at = sets.before[at]
        while sets.before[at] >= 0 and sets.time_ns[sets.before[at]] == time_ns:
            at = sets.before[at]
        if sets.time_ns[at] < time_ns:
            return _insert_after(sets, group, at, parents, time_ns)
    previous = sets.before[at]
    while at >= 0 and sets.time_ns[at] == time_ns:
        if sets.slot[at * parents + parent] < 0:
            return at
        previous, at = at, sets.after[at]
    return _insert_after(sets, group, previous, parents, time_ns)


@njit(cache=True, nogil=True)
def _insert_after(sets, group, previous, parents, time_ns):
    sets.counts[0] -= 1
    one = sets.free[sets.counts[0]]
    sets.time_ns[one] = time_ns
    sets.slot[one * parents : (one + 1) * parents] = NONE
    following = sets.after[previous] if previous >= 0 else sets.first[group]
    sets.before[one], sets.after[one] = previous, following
    if previous >= 0:
        sets.after[previous] = one
    else:
        sets.first[group] = one
    if following >= 0:
        sets.before[following] = one
    else:
        sets.last[group] = one
    return one


@njit(cache=True, nogil=True)
def _emit(sets, group, parents, out, n):
    """Those that may come out; first of the oldest time, then of the next as long as all parents are past it."""
    while sets.first[group] >= 0:
        oldest_ns = sets.time_ns[sets.first[group]]
        passed = _is_passed(sets, group, parents, oldest_ns)
        while sets.first[group] >= 0 and sets.time_ns[sets.first[group]] == oldest_ns:
            if not passed and not _is_complete(sets, sets.first[group], parents):
                break
            n = _emit_first(sets, group, parents, out, n)
        if not passed:
            return n
    return n


@njit(cache=True, nogil=True)
def _is_passed(sets, group, parents, time_ns):
    return (sets.newest_ns[group * parents : (group + 1) * parents] > time_ns).all()


@njit(cache=True, nogil=True)
def _is_complete(sets, one, parents):
    return (sets.slot[one * parents : (one + 1) * parents] >= 0).all()


@njit(cache=True, nogil=True)
def _emit_first(sets, group, parents, out, n):
    one = sets.first[group]
    out.slot[n] = sets.slot[one * parents : (one + 1) * parents]
    out.time_ns[n], out.group[n] = sets.time_ns[one], group
    following = sets.after[one]
    sets.first[group] = following
    if following >= 0:
        sets.before[following] = NONE
    else:
        sets.last[group] = NONE
    sets.free[sets.counts[0]] = one
    sets.counts[0] += 1
    return n + 1
