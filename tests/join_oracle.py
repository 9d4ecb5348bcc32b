"""What `join` must make of points, told one by one with lists and dictionaries: slow, and easy to believe.

In:   arrivals, each (parent, point) as `join_frames` has them, in whole seconds.
Out:  the points that come out, as (time, group, fields); missing ones are filled with None.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from join_frames import OWN, Plain

Group = tuple[tuple[str, str], ...]
NEVER = -(10**9)


@dataclass
class OneGroup:
    parents: int
    sets: dict[int, list[dict[int, Plain]]] = field(default_factory=dict)
    newest: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.newest = [NEVER] * self.parents

    def put(self, parent: int, point: Plain, time: int) -> Iterator[tuple[int, dict[int, Plain]]]:
        of_time = self.sets.setdefault(time, [])
        lacking = next((each for each in of_time if parent not in each), None)
        if lacking is None:
            of_time.append({parent: point})
        else:
            lacking[parent] = point
        self.newest[parent] = time
        while self.sets:
            oldest = min(self.sets)
            passed = min(self.newest) > oldest
            yield from self._out(oldest, passed=passed)
            if not passed:
                return

    def _out(self, time: int, *, passed: bool) -> Iterator[tuple[int, dict[int, Plain]]]:
        of_time = self.sets.pop(time)
        while of_time and (passed or len(of_time[0]) == self.parents):
            yield time, of_time.pop(0)
        if of_time:
            self.sets[time] = of_time


@dataclass
class Oracle:
    names: Sequence[str]
    on: Sequence[str] = ()
    tolerance: int = 0
    groups: dict[Group, OneGroup] = field(default_factory=dict)
    reported: set[int] = field(default_factory=set)
    newest: dict[tuple[int, Group], int] = field(default_factory=dict)
    matches: dict[Group, deque[tuple[int, Plain]]] = field(default_factory=dict)
    waiting: dict[Group, deque[tuple[int, Plain]]] = field(default_factory=dict)

    def joined(self, arrivals: Sequence[tuple[int, Plain]]) -> list[tuple[int, Group, dict[str, Any]]]:
        return [each for parent, point in arrivals for each in self._arrive(parent, point)]

    def _arrive(self, parent: int, point: Plain) -> Iterator[tuple[int, Group, dict[str, Any]]]:
        for group, to, each in self._matched(parent, point) if self.on else [(group_of(point), parent, point)]:
            of_group = self.groups.setdefault(group, OneGroup(len(self.names)))
            for time, found in of_group.put(to, each, self._time(each)):
                yield time, group, self._fields(found)

    def _matched(self, parent: int, point: Plain) -> Iterator[tuple[Group, int, Plain]]:
        """A fine point goes with each match of its time, or alone once none can come; a match waits for them."""
        self.reported.add(parent)
        reported = len(self.reported) == len(self.names)
        coarse = tuple((name, point["tags"].get(name, "") if name in point["by"] else "") for name in self.on)
        time = self.newest[parent, coarse] = self._time(point)
        mark = self._mark(coarse) if reported else NEVER
        matches, waiting = self.matches.setdefault(coarse, deque()), self.waiting.setdefault(coarse, deque())
        while reported and waiting and self._time(waiting[0][1]) < mark:
            yield self._alone(waiting.popleft())
        if len(point["by"]) <= len(self.on):
            matches.append((parent, point))
            while waiting and self._time(waiting[0][1]) == time:
                yield from self._both(waiting.popleft(), (parent, point))
            return
        older = next((at for at, each in enumerate(matches) if self._time(each[1]) >= mark), len(matches))
        fitting = [each for each in list(matches)[: older + 1] if self._time(each[1]) == time]
        for each in fitting:
            yield from self._both((parent, point), each)
        for _ in range(older if reported else 0):
            matches.popleft()
        if not fitting and reported and time < mark:
            yield self._alone((parent, point))
        elif not fitting:
            waiting.append((parent, point))

    def _mark(self, coarse: Group) -> int:
        mark = NEVER
        for parent in range(len(self.names)):
            newest = self.newest.get((parent, coarse), NEVER)
            mark = newest if mark == NEVER or newest < mark else mark
        return mark

    def _alone(self, fine: tuple[int, Plain]) -> tuple[Group, int, Plain]:
        return group_of(fine[1]), *fine

    def _both(self, fine: tuple[int, Plain], match: tuple[int, Plain]) -> Iterator[tuple[Group, int, Plain]]:
        yield self._alone(fine)
        yield group_of(fine[1]), *match

    def _time(self, point: Plain) -> int:
        # Multiples count from the year 1, in which the epoch is at 62,135,596,800 s.
        if not self.tolerance:
            return point["time"]
        past = (point["time"] + 62_135_596_800) % self.tolerance
        return point["time"] - past + (self.tolerance if 2 * past >= self.tolerance else 0)

    def _fields(self, found: dict[int, Plain]) -> dict[str, Any]:
        first = values(found[min(found)])
        given = [values(found[at]) if at in found else dict.fromkeys(first) for at in range(len(self.names))]
        return {f"{name}.{key}": v for name, each in zip(self.names, given, strict=True) for key, v in each.items()}


def group_of(point: Plain) -> Group:
    return tuple((name, point["tags"].get(name, "")) for name in sorted(point["by"]))


def values(point: Plain) -> dict[str, Any]:
    return {name: value for name, value in point.items() if name not in OWN}
