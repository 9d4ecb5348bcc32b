"""Which held points each window has, as kernels over rows in order of arrival.

Points of a group are a list of slots in a `RowStore`, oldest arrival first. A window of time is emitted by a point of its
own group that is not before the group's `next_emit`; what leaves it leaves from the head, up to the first point that is new
enough, however old those behind it are. Kapacitor keeps the points in a ring that doubles, and where the ring has wrapped
it looks at the last point before the seam first: is that one too old, all before the seam go. With points out of order
this shows, so `start`, `stop` and `capacity` follow its ring, and `seam` is the slot of that last point.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from pipeline_processing.points.store import grown

NONE = -1
UNIX_EPOCH_NS = 62_135_596_800 * 10**9
"""From 0001-01-01, which Go truncates times to multiples from."""


class Rows(NamedTuple):
    """Arriving points: `slot` is where each is held, NONE where it only moves the time; `held_ns` and `next` are the store's, by slot."""

    group: np.ndarray
    time_ns: np.ndarray
    slot: np.ndarray
    held_ns: np.ndarray
    next: np.ndarray


class Rings(NamedTuple):
    """By group. `next_emit` is a time, or of windows by count the number of points; `count` is 0 before the first."""

    head: np.ndarray
    tail: np.ndarray
    seam: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    capacity: np.ndarray
    size: np.ndarray
    count: np.ndarray
    next_emit: np.ndarray


class TimeRule(NamedTuple):
    period_ns: int
    every_ns: int
    align: bool
    fill_period: bool
    zero_ns: int
    """The epoch's distance from the zero time, modulo `every_ns`."""


class CountRule(NamedTuple):
    period: int
    every: int
    fill_period: bool


class Emitted(NamedTuple):
    """Window i came out with the arrival of row `row[i]` and has the points at `slots[start[i]:start[i + 1]]`."""

    row: np.ndarray
    tmax_ns: np.ndarray
    start: np.ndarray
    slots: np.ndarray
    freed: np.ndarray
    """Slots that no list has any more."""


def no_rings() -> Rings:
    return Rings(*(np.empty(0, dtype=np.int64) for _ in Rings._fields))


def grown_rings(rings: Rings, groups: int) -> Rings:
    """With room for so many groups."""
    if len(rings.head) >= groups:
        return rings
    lists = {name: grown(getattr(rings, name), groups, NONE) for name in ("head", "tail", "seam")}
    return Rings(**{name: grown(each, groups) for name, each in rings._asdict().items()} | lists)


def zero_ns(every_ns: int) -> int:
    return UNIX_EPOCH_NS % every_ns if every_ns > 0 else 0


@njit(cache=True, nogil=True)
def windows_of_time(rows, rings, rule):
    """The windows that arriving rows emit, by time; the rings hold the rows after."""
    row, tmax_ns, start, slots, gone = _no_windows(len(rows.group))
    emitted, used, freed = 0, 0, 0
    for i in range(len(rows.group)):
        group, time_ns = rows.group[i], rows.time_ns[i]
        if rings.count[group] == 0:
            rings.next_emit[group] = first_emit(time_ns, rule)
        rings.count[group] += 1
        holds = rows.slot[i] != NONE
        if rule.every_ns == 0 and holds:
            _insert(rings, rows.next, group, rows.slot[i])
        if time_ns >= rings.next_emit[group]:
            tmax, oldest = rings.next_emit[group], rings.next_emit[group] - rule.period_ns
            if rule.every_ns == 0:
                tmax, oldest = time_ns, time_ns - rule.period_ns + 1
            gone, freed = _purged(rings, rows, group, oldest, (gone, freed))
            slots, used = _listed(rings.head[group], rows.next, slots, used)
            row[emitted], tmax_ns[emitted], start[emitted + 1] = i, tmax, used
            emitted += 1
            rings.next_emit[group] = (
                _truncated(time_ns + rule.every_ns, rule) if rule.align else time_ns + rule.every_ns
            )
        if rule.every_ns != 0 and holds:
            _insert(rings, rows.next, group, rows.slot[i])
    return Emitted(row[:emitted], tmax_ns[:emitted], start[: emitted + 1], slots[:used], gone[:freed])


@njit(cache=True, nogil=True)
def windows_of_count(rows, rings, rule):
    """The same by number of points: the newest `period` of the group, with each `every`th."""
    row, tmax_ns, start, slots, gone = _no_windows(len(rows.group))
    emitted, used, freed = 0, 0, 0
    for i in range(len(rows.group)):
        group = rows.group[i]
        if rings.count[group] == 0:
            rings.next_emit[group] = rule.period if rule.fill_period else rule.every
        if rings.size[group] == rule.period:
            gone, freed = _pushed(gone, freed, _pop(rings, rows.next, group))
        _append(rings, rows.next, group, rows.slot[i])
        rings.count[group] += 1
        if rings.count[group] == rings.next_emit[group]:
            rings.next_emit[group] += rule.every
            slots, used = _listed(rings.head[group], rows.next, slots, used)
            row[emitted], tmax_ns[emitted], start[emitted + 1] = i, rows.time_ns[i], used
            emitted += 1
    return Emitted(row[:emitted], tmax_ns[:emitted], start[: emitted + 1], slots[:used], gone[:freed])


@njit(cache=True, nogil=True)
def runs_of_time(rows, rings):
    """Points of one group that came one after the other with one time, once a point of another time follows.

    `next_emit` is the time of the run.
    """
    row, tmax_ns, start, slots, _ = _no_windows(len(rows.group))
    emitted, used = 0, 0
    for i in range(len(rows.group)):
        group = rows.group[i]
        if rings.size[group] > 0 and rings.next_emit[group] != rows.time_ns[i]:
            slots, used = _listed(rings.head[group], rows.next, slots, used)
            row[emitted], tmax_ns[emitted], start[emitted + 1] = i, rings.next_emit[group], used
            emitted += 1
            rings.size[group] = 0
        rings.next_emit[group] = rows.time_ns[i]
        _append(rings, rows.next, group, rows.slot[i])
    return Emitted(row[:emitted], tmax_ns[:emitted], start[: emitted + 1], slots[:used], slots[:used])


@njit(cache=True, nogil=True)
def forgotten(groups, rings, following):
    """The slots of all that these groups hold; they hold nothing any more, and begin anew."""
    slots, used = np.empty(0, dtype=np.int64), 0
    for group in groups:
        if rings.size[group] > 0:
            slots, used = _listed(rings.head[group], following, slots, used)
        rings.start[group], rings.stop[group], rings.capacity[group], rings.seam[group] = 0, 0, 0, NONE
        rings.size[group], rings.count[group] = 0, 0
    return slots[:used]


@njit(cache=True, nogil=True)
def first_emit(time_ns, rule):
    """When a group whose first point has this time emits first."""
    if not rule.fill_period:
        return _truncated(time_ns + rule.every_ns, rule) if rule.align else time_ns + rule.every_ns
    full = time_ns + rule.period_ns
    if not rule.align:
        return full
    aligned = _truncated(full, rule)
    return aligned if aligned > full else aligned + rule.every_ns


@njit(cache=True, nogil=True)
def _truncated(time_ns, rule):
    if rule.every_ns <= 0:
        return time_ns
    return time_ns - (time_ns % rule.every_ns + rule.zero_ns) % rule.every_ns


@njit(cache=True, nogil=True)
def _no_windows(rows):
    none = np.empty(rows, dtype=np.int64)
    return none, np.empty_like(none), np.zeros(rows + 1, dtype=np.int64), np.empty_like(none), np.empty_like(none)


@njit(cache=True, nogil=True)
def _insert(rings, following, group, slot):
    if rings.size[group] == rings.capacity[group]:
        rings.capacity[group] = 2 * (rings.size[group] + 1)
        rings.start[group], rings.stop[group], rings.seam[group] = 0, rings.size[group], NONE
    if rings.stop[group] == rings.capacity[group]:
        rings.stop[group] = 0
        rings.seam[group] = rings.tail[group] if rings.size[group] > 0 else NONE
    rings.stop[group] += 1
    _append(rings, following, group, slot)


@njit(cache=True, nogil=True)
def _append(rings, following, group, slot):
    following[slot] = NONE
    if rings.size[group] == 0:
        rings.head[group] = slot
    else:
        following[rings.tail[group]] = slot
    rings.tail[group] = slot
    rings.size[group] += 1


@njit(cache=True, nogil=True)
def _pop(rings, following, group):
    slot = rings.head[group]
    rings.head[group] = following[slot]
    rings.size[group] -= 1
    return slot


@njit(cache=True, nogil=True)
def _purged(rings, rows, group, oldest, freed):
    """The slots freed so far (an array and how many), and those of the points before `oldest` that leave from the head."""
    gone, count = freed
    if rings.size[group] == 0:
        return gone, count
    seam = rings.seam[group]
    begins_behind = rings.start[group] == rings.stop[group] == rings.capacity[group]
    if begins_behind and rows.held_ns[rings.tail[group]] >= oldest:
        return gone, count  # a full ring that begins behind its last place looks at that place, which is the newest
    if rings.start[group] >= rings.stop[group] and (seam == NONE or rows.held_ns[seam] < oldest):
        while rings.seam[group] != NONE:
            slot = _pop(rings, rows.next, group)
            gone, count = _pushed(gone, count, slot)
            if slot == seam:
                rings.seam[group] = NONE
        rings.start[group] = 0
    while rings.size[group] > 0 and rows.held_ns[rings.head[group]] < oldest:
        gone, count = _pushed(gone, count, _pop(rings, rows.next, group))
        rings.start[group] += 1
    return gone, count


@njit(cache=True, nogil=True)
def _listed(head, following, slots, used):
    while head != NONE:
        slots, used = _pushed(slots, used, head)
        head = following[head]
    return slots, used


@njit(cache=True, nogil=True)
def _pushed(array, used, value):
    if used == len(array):
        wider = np.empty(2 * used + 64, dtype=np.int64)
        wider[:used] = array
        array = wider
    array[used] = value
    return array, used + 1
