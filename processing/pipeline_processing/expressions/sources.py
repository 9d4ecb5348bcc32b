"""What the names in a tree are in a frame: fields of one type or another, or tags.

A tag's text is looked up once a series, not once a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline_processing.expressions.rows import Coded, Value
from pipeline_processing.points.frame import Column, Frame, Type
from pipeline_processing.points.keys import Keys, Series

TIME = "time"
"""The name of the point's own time, whatever fields there are."""
MISSING, TAG, BOTH = 0, 8, 9
KINDS = ("missing", "float", "int", "bool", "string", "duration", "time", "null", "tag", "both")
"""What a name can be in a row. A field and a tag of one name are an error."""


@dataclass(slots=True)
class Tags:
    """The texts of one tag, and for each series which of them it has: `codes` counts from 1, 0 is none."""

    name: str
    codes: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    texts: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=object))
    _known: dict[str, int] = field(default_factory=dict)
    _refilled: int = 0

    def learn(self, keys: Keys) -> None:
        """Look at the series that are new."""
        fresh = keys.series[len(self.codes) :]
        if fresh:
            self.codes = np.concatenate((self.codes, self._codes(fresh)))
        if len(keys.refilled) > self._refilled:
            again = keys.refilled[self._refilled :]
            self.codes[again] = self._codes([keys.series[each] for each in again])
            self._refilled = len(keys.refilled)

    def _codes(self, fresh: Sequence[Series]) -> np.ndarray:
        known = self._known
        found = [dict(each.tags).get(self.name) for each in fresh]
        codes = [0 if text is None else known.setdefault(text, len(known) + 1) for text in found]
        if len(known) > len(self.texts):
            self.texts = np.array(list(known), dtype=object)
        return np.array(codes, dtype=np.int32)


@dataclass(slots=True)
class Sources:
    """The names of one tree, for the keys of one task."""

    names: tuple[str, ...]
    keys: Keys | None = None
    tags: dict[str, Tags] = field(default_factory=dict)

    def learn(self, keys: Keys) -> None:
        if keys is not self.keys:
            self.keys, self.tags = keys, {name: Tags(name) for name in self.names if name != TIME}
        for each in self.tags.values():
            each.learn(keys)

    def signatures(self, frame: Frame) -> tuple[list[tuple[str, ...]], np.ndarray | None]:
        """What the names are, in their order: each way that there is, and which of these each row has (None: the only)."""
        found = [self._kind_of_rows(name, frame) for name in self.names]
        mixed = [at for at, each in enumerate(found) if isinstance(each, np.ndarray)]
        if not mixed:
            return [tuple(KINDS[each] for each in found)], None
        ways, which = [()], np.zeros(len(frame), dtype=np.int64)
        for at in mixed:
            codes = which * len(KINDS) + found[at]
            used = np.flatnonzero(np.bincount(codes, minlength=len(ways) * len(KINDS)))
            ways = [(*ways[code // len(KINDS)], code % len(KINDS)) for code in used.tolist()]
            numbers = np.zeros(len(KINDS) * (1 + int(used[-1]) // len(KINDS)), dtype=np.int64)
            numbers[used] = np.arange(len(used))
            which = numbers[codes]
        return [self._signature(found, dict(zip(mixed, way, strict=True))) for way in ways], which

    def _signature(self, found: list[int | np.ndarray], mixed: dict[int, int]) -> tuple[str, ...]:
        return tuple(KINDS[mixed.get(at, each)] for at, each in enumerate(found))  # type: ignore[arg-type]

    def _kind_of_rows(self, name: str, frame: Frame) -> int | np.ndarray:
        """One of KINDS for all rows, or an array of one each."""
        if name == TIME:
            return KINDS.index(TIME)
        columns = frame.columns_of(name)
        tagged = self._tagged(name, frame)
        if tagged is None and not columns:
            return MISSING
        if tagged is None and len(columns) == 1:
            ((type_, column),) = columns.items()
            if column.present is None:
                return KINDS.index(type_)
        return _settled(_kinds(columns, tagged, len(frame)))

    def _tagged(self, name: str, frame: Frame) -> np.ndarray | None:
        """The rows that have the tag, if any may."""
        tags = self.tags[name]
        return tags.codes[frame.series] > 0 if len(tags.texts) else None

    def value(self, name: str, kind: str, frame: Frame, at: np.ndarray | None) -> Value:
        """A name's values in the rows at these positions, where it is of this kind."""
        if kind == "tag":
            series = frame.series if at is None else frame.series[at]
            return Coded(self.tags[name].texts, self.tags[name].codes[series] - 1)
        values = frame.time_ns if name == TIME else frame.fields[name, kind].values  # type: ignore[index]
        return values if at is None else values[at]


def _kinds(columns: dict[Type, Column], tagged: np.ndarray | None, rows: int) -> np.ndarray:
    kinds = np.full(rows, MISSING, dtype=np.int8)
    for type_, column in columns.items():
        kinds[column.mask()] = KINDS.index(type_)
    if tagged is not None:
        kinds[tagged] = np.where(kinds[tagged] == MISSING, TAG, BOTH)
    return kinds


def _settled(kinds: np.ndarray) -> int | np.ndarray:
    return int(kinds[0]) if len(kinds) and (kinds == kinds[0]).all() else kinds


def clash(names: Sequence[str], signature: Sequence[str]) -> str | None:
    """The name that is a field and a tag, if there is one."""
    return next((name for name, kind in zip(names, signature, strict=True) if kind == "both"), None)
