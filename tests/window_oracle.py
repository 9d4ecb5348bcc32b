"""Windows point by point, with lists and loops: what Kapacitor's window does, said again from its rules.

In:   (time, value) of one group in order of arrival.
Out:  (tmax, values) of each window that comes out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

ZERO_TO_UNIX_NS = int((datetime(1970, 1, 1, tzinfo=UTC) - datetime(1, 1, 1, tzinfo=UTC)).total_seconds()) * 10**9
Point = tuple[int, int]
Out = tuple[int, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    period: int = 0
    every: int = 0
    align: bool = False
    fill: bool = False
    period_count: int = 0
    every_count: int = 0


def windows(points: list[Point], rule: Rule) -> list[tuple[int, Out]]:
    """Each window with the position of the point that brought it out."""
    group = ByCount(rule) if rule.period_count else ByTime(rule)
    found = [(at, group.point(point)) for at, point in enumerate(points)]
    return [(at, out) for at, out in found if out is not None]


def truncated(time: int, unit: int) -> int:
    """The last multiple of the unit, counted from the year 1."""
    return time if unit <= 0 else (time + ZERO_TO_UNIX_NS) // unit * unit - ZERO_TO_UNIX_NS


@dataclass(slots=True)
class Ring:
    """A buffer that has places used and unused, and grows when all are used."""

    places: list[Point | None] = field(default_factory=list)
    room: int = 0
    start: int = 0
    stop: int = 0
    size: int = 0

    def content(self) -> list[Point]:
        if self.size == 0:
            return []
        if self.stop > self.start:
            return self.places[self.start : self.stop]
        return self.places[self.start :] + self.places[: self.stop]

    def insert(self, point: Point) -> None:
        if self.size == self.room:
            self.places = [*self.content(), None]
            self.room = 2 * (self.size + 1)
            self.start, self.stop = 0, self.size
        if len(self.places) == self.room and self.stop == len(self.places):
            self.stop = 0
        if self.stop == len(self.places):
            self.places.append(point)
        else:
            self.places[self.stop] = point
        self.size += 1
        self.stop += 1

    def purge(self, stays) -> None:
        length = len(self.places)
        if length == 0:
            return
        wrapped = self.start >= self.stop
        if wrapped and stays(self.places[-1][0]):
            while self.start < length and not stays(self.places[self.start][0]):
                self.start += 1
            self.size = length - self.start + self.stop
            return
        if wrapped:
            self.start = 0
        while self.start < self.stop and not stays(self.places[self.start][0]):
            self.start += 1
        self.size = self.stop - self.start


class ByTime:
    def __init__(self, rule: Rule) -> None:
        self.rule, self.ring, self.next = rule, Ring(), None

    def first(self, time: int) -> int:
        rule = self.rule
        if not rule.fill:
            return truncated(time + rule.every, rule.every) if rule.align else time + rule.every
        if not rule.align:
            return time + rule.period
        found = truncated(time + rule.period, rule.every)
        return found if found > time + rule.period else found + rule.every

    def point(self, point: Point) -> Out | None:
        time, rule, out = point[0], self.rule, None
        if self.next is None:
            self.next = self.first(time)
        if rule.every == 0:
            self.ring.insert(point)
            if time >= self.next:
                self.ring.purge(lambda held: held > time - rule.period)
                out = time, [value for _, value in self.ring.content()]
                self.next = time
            return out
        if time >= self.next:
            edge = self.next
            self.ring.purge(lambda held: held >= edge - rule.period)
            out = edge, [value for _, value in self.ring.content()]
            self.next = truncated(time + rule.every, rule.every) if rule.align else time + rule.every
        self.ring.insert(point)
        return out


class ByCount:
    def __init__(self, rule: Rule) -> None:
        self.rule, self.held, self.count = rule, [], 0
        self.next = rule.period_count if rule.fill else rule.every_count

    def point(self, point: Point) -> Out | None:
        self.held = [*self.held, point][-self.rule.period_count :]
        self.count += 1
        if self.count != self.next:
            return None
        self.next += self.rule.every_count
        return point[0], [value for _, value in self.held]
