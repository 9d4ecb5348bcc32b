"""Kapacitor's alert, one point after the other in plain Python: what the columnar one is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Rules:
    asks: dict[int, Callable[[float], bool]]
    resets: dict[int, Callable[[float], bool]]
    history: int = 21
    flapping: tuple[float, float] | None = None
    changes_only: bool = False
    interval_s: int = 0
    recoveries: bool = True
    all_rows: bool = False
    batches: bool = False


@dataclass
class Group:
    history: list[int]
    at: int = 0
    flapping: bool = False
    first_s: int | None = None
    last_s: int | None = None


@dataclass
class Oracle:
    rules: Rules
    groups: dict[str, Group] = field(default_factory=dict)

    def unit(self, name: str, points: list[tuple[int, float]], end_s: int) -> tuple[int, int, int] | None:
        """Level, time and duration of the event that a point or batch makes, if it makes one."""
        group = self.groups.setdefault(name, Group([0] * max(self.rules.history, 2)))
        current = group.history[group.at]
        levels = [self.level(value, current) for _, value in points]
        level = min(levels) if self.rules.all_rows else max(levels)
        at_s = points[levels.index(max(levels))][0]
        if self.rules.batches and (self.rules.all_rows or level == 0):
            at_s = end_s
        return self.event(group, level, at_s)

    def level(self, value: float, current: int) -> int:
        found = self.first(3, current - 1, value)
        if found:
            return found
        if current in self.rules.resets and not self.rules.resets[current](value):
            return current
        return self.first(current, 0, value)

    def first(self, start: int, stop: int, value: float) -> int:
        for level in range(start, max(stop, 0), -1):
            if level in self.rules.asks and self.rules.asks[level](value):
                return level
        return 0

    def event(self, group: Group, level: int, at_s: int) -> tuple[int, int, int] | None:
        before = group.history[group.at]
        changed = before != level
        group.at = (group.at + 1) % len(group.history)
        group.history[group.at] = level
        self.flap(group)
        interval = self.rules.interval_s
        expired = not changed and interval != 0 and (group.last_s is None or at_s - group.last_s >= interval)
        silent = bool(self.rules.flapping and group.flapping) or (
            self.rules.changes_only and not changed and not expired
        )
        recovers = level == 0 and changed
        told = (recovers and self.rules.batches) or ((level != 0 or changed) and not silent)
        if not told:
            return None
        group.last_s = at_s
        if before == 0:
            group.first_s = at_s
        if level == 0 and not self.rules.recoveries:
            return None
        return level, at_s, -1 if group.first_s is None else at_s - group.first_s

    def flap(self, group: Group) -> None:
        if not self.rules.flapping:
            return
        low, high = self.rules.flapping
        pairs = len(group.history) - 1
        weight, changes = 0.8, 0.0
        for i in range(pairs):
            at = (i + group.at) % len(group.history)
            changes += weight if group.history[at] != group.history[at - 1] else 0.0
            weight += 0.4 / pairs
        share = changes / pairs
        group.flapping = share >= low if group.flapping else share > high
