"""Series and groups of one task, each interned once to a dense number.

A series is a database, retention policy, measurement and set of tags; a group is what `groupBy` made of one. Points carry
the numbers, so what is computed for names and tags is computed once a series, never once a point. Numbers are given in
order of arrival; those of groups that were forgotten, and of series that nothing refers to, are given again
(graph/forgetting.py). A task has no more than `groups_max` groups: points of others are dropped where groups are made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pickle import PickleBuffer
from typing import Any, TypeAlias

import msgspec
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
    """The series and groups that a task knows; what has the number of neither is `FREE_SERIES` or `FREE_GROUP`."""

    series: list[Series] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    groups_max: int | None = None
    refilled: list[int] = field(default_factory=list)
    """Numbers of series that were given again since the last release: who goes by how many series there are misses them."""
    _series_ids: dict[Series, int] = field(default_factory=dict)
    _group_ids: dict[Group, int] = field(default_factory=dict)
    _free_series: list[int] = field(default_factory=list)
    _free_groups: list[int] = field(default_factory=list)

    @property
    def series_count(self) -> int:
        return len(self._series_ids)

    @property
    def group_count(self) -> int:
        return len(self._group_ids)

    def __getstate__(self) -> Kept:
        """For a snapshot, which has all that a task knows: object by object, a million series took it twenty times as long."""
        return Kept(
            series=_written((each.database, each.retention_policy, each.name, each.tags) for each in self.series),
            groups=_written((each.tags, each.name) for each in self.groups),
            groups_max=self.groups_max,
            refilled=self.refilled,
            free_series=self._free_series,
            free_groups=self._free_groups,
        )

    def __setstate__(self, kept: Kept) -> None:
        self.series = [Series(*map(sys.intern, names), _tags(tags)) for *names, tags in _read(kept.series, OfSeries)]
        self.groups = [Group(_tags(tags), name) for tags, name in _read(kept.groups, OfGroup)]
        self.groups_max, self.refilled = kept.groups_max, kept.refilled
        self._free_series, self._free_groups = kept.free_series, kept.free_groups
        self._series_ids = _numbers(self.series, without=self._free_series)
        self._group_ids = _numbers(self.groups, without=self._free_groups)

    def series_id(self, series: Series) -> int:
        found = self._series_ids.get(series)
        if found is None:
            if self._free_series:
                self.refilled.append(self._free_series[-1])
            found = self._series_ids[series] = _placed(series, self.series, self._free_series)
        return found

    def group_id(self, group: Group) -> int:
        found = self._group_ids.get(group)
        if found is None:
            found = self._group_ids[group] = _placed(group, self.groups, self._free_groups)
        return found

    def group_id_within(self, group: Group) -> int:
        """REFUSED where the task has as many groups as it may."""
        full = self.groups_max is not None and self.group_count >= self.groups_max
        return REFUSED if full and group not in self._group_ids else self.group_id(group)

    def known_groups(self) -> Ids:
        return np.fromiter(self._group_ids.values(), dtype=np.int32, count=len(self._group_ids))

    def release(self, groups: Ids, series_in_use: Ids) -> None:
        """These groups, and the series that are not in use, are unknown again; their numbers are free."""
        for each in sorted(groups.tolist(), reverse=True):
            del self._group_ids[self.groups[each]]
            self.groups[each] = FREE_GROUP
            self._free_groups.append(each)
        unused = set(self._series_ids.values()).difference(series_in_use.tolist())
        for each in sorted(unused, reverse=True):
            del self._series_ids[self.series[each]]
            self.series[each] = FREE_SERIES
            self._free_series.append(each)
        self.refilled = []


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Keys as they are written: names in MessagePack, in parts, so that those that stay as they are need not be written again."""

    series: list[PickleBuffer]
    groups: list[PickleBuffer]
    groups_max: int | None
    refilled: list[int]
    free_series: list[int]
    free_groups: list[int]


OfSeries: TypeAlias = tuple[str, str, str, Tags]
OfGroup: TypeAlias = tuple[Tags, str | None]
PART = 10_000


def _written(rows: Iterator[tuple[Any, ...]]) -> list[PickleBuffer]:
    return [PickleBuffer(msgspec.msgpack.encode(part)) for part in iter(lambda: list(islice(rows, PART)), [])]


def _read(written: list[Any], row: Any) -> Iterator[Any]:
    return chain.from_iterable(msgspec.msgpack.decode(part, type=list[row]) for part in written)


def _tags(read: Tags) -> Tags:
    """With one text for all that have the same name."""
    return tuple([(sys.intern(name), value) for name, value in read])


def _numbers(known: list[Any], *, without: list[int]) -> dict[Any, int]:
    free = set(without)
    return {each: number for number, each in enumerate(known) if number not in free}


def _placed(new: Any, known: list[Any], free: list[int]) -> int:
    """Where it is now: at the last free place, or at the end."""
    if free:
        known[free[-1]] = new
        return free.pop()
    known.append(new)
    return len(known) - 1


FREE_SERIES, FREE_GROUP = Series("", "", ""), Group()
UNKNOWN = -1
REFUSED = -2


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
