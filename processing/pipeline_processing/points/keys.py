"""Series and groups of one task, each interned once to a dense number.

A series is a database, retention policy, measurement and set of tags; a group is what `groupBy` made of one. Points carry
the numbers, so what is computed for names and tags is computed once a series, never once a point. Numbers are given in
order of arrival and never given twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

Tags: TypeAlias = tuple[tuple[str, str], ...]
"""By name, sorted; no two of one name."""
Ids: TypeAlias = np.ndarray
"""int32, dense."""


@dataclass(frozen=True, slots=True)
class Series:
    database: str
    retention_policy: str
    name: str
    tags: Tags = ()


@dataclass(frozen=True, slots=True)
class Group:
    """`tags` are those that points are grouped by, '' where a point lacks one; `name` is given where measurements are
    apart (`groupByMeasurement`)."""

    tags: Tags = ()
    name: str | None = None

    @property
    def id(self) -> str:
        """As Kapacitor writes it: `nil`, `host=a,rack=`, or `cpu\nhost=a` by measurement."""
        written = ",".join(f"{name}={value}" for name, value in self.tags)
        if self.name is None:
            return written or "nil"
        return f"{self.name}\n{written}" if written else self.name


@dataclass(slots=True)
class Keys:
    """The series and groups that a task has met."""

    series: list[Series] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    _series_ids: dict[Series, int] = field(default_factory=dict)
    _group_ids: dict[Group, int] = field(default_factory=dict)

    def series_id(self, series: Series) -> int:
        found = self._series_ids.get(series)
        if found is None:
            found = self._series_ids[series] = len(self.series)
            self.series.append(series)
        return found

    def group_id(self, group: Group) -> int:
        found = self._group_ids.get(group)
        if found is None:
            found = self._group_ids[group] = len(self.groups)
            self.groups.append(group)
        return found


UNKNOWN = -1


@dataclass(slots=True)
class PerSeries:
    """A number for each series, computed when the series is first met; -1 is none yet, so `compute` gives 0 or more.

    What an operator knows of series is not state: it is computed again from the keys.
    """

    compute: Callable[[int], int]
    _known: np.ndarray = field(default_factory=lambda: np.full(64, UNKNOWN, dtype=np.int32))

    def of(self, series: Ids) -> Ids:
        """One number for each of `series`, by position."""
        if len(series) == 0:
            return np.empty(0, dtype=np.int32)
        highest = int(series.max())
        if highest >= len(self._known):
            grown = np.full(max(highest + 1, 2 * len(self._known)), UNKNOWN, dtype=np.int32)
            grown[: len(self._known)] = self._known
            self._known = grown
        found = self._known[series]
        if (found == UNKNOWN).any():
            for each in np.unique(series[found == UNKNOWN]).tolist():
                self._known[each] = self.compute(each)
            found = self._known[series]
        return found


def sorted_tags(tags: Iterable[tuple[str, str]]) -> Tags:
    return tuple(sorted(dict(tags).items()))
