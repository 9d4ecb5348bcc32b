"""Points as columns: one frame holds the points of one step in the order of their arrival.

A field has a column for each type that it has in the frame, and each row is present in at most one of them. Missing is not
null: a null is a value, of type `null` (`join` with `fill(null)` makes them). Frames are not changed once they are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.keys import Ids

Type: TypeAlias = Literal["float", "int", "bool", "string", "duration", "time", "null"]
DTYPES: Mapping[Type, type] = {
    "float": np.float64,
    "int": np.int64,
    "bool": np.bool_,
    "string": object,
    "duration": np.int64,
    "time": np.int64,
    "null": np.bool_,
}
"""Durations and times are in ns; of nulls only the presence counts."""
Key: TypeAlias = tuple[str, Type]
"""A field's name and one of its types."""
Rows: TypeAlias = np.ndarray
"""Positions (int64) or a mask (bool) of rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """`present` is None where every row has the value; values of other rows mean nothing."""

    values: np.ndarray
    present: np.ndarray | None = None

    def take(self, rows: Rows) -> Column:
        return Column(self.values[rows], None if self.present is None else self.present[rows])

    def mask(self) -> np.ndarray:
        return np.ones(len(self.values), dtype=bool) if self.present is None else self.present


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`time_ns`, `series`, `group` and `cause` have a value for each row.

    `cause` is the ordinal, within the task, of the point that made this one come out: operators with several parents merge
    by it.
    """

    time_ns: np.ndarray
    series: Ids
    group: Ids
    cause: np.ndarray
    fields: Mapping[Key, Column]
    barriers: Barriers | None = None
    """What follows the rows."""

    def __len__(self) -> int:
        return len(self.time_ns)

    def take(self, rows: Rows) -> Frame:
        """The rows at these positions, or where the mask holds; columns that none of them has are left out."""
        fields = {key: column.take(rows) for key, column in self.fields.items()}
        return Frame(
            time_ns=self.time_ns[rows],
            series=self.series[rows],
            group=self.group[rows],
            cause=self.cause[rows],
            fields={key: each for key, each in fields.items() if each.present is None or each.present.any()},
        )

    def kept(self, mask: np.ndarray) -> Frame:
        """The rows where the mask holds; itself where all do."""
        return self if mask.all() else self.take(mask)

    def columns_of(self, name: str) -> dict[Type, Column]:
        """The columns of a field, by type."""
        return {type_: column for (each, type_), column in self.fields.items() if each == name}

    def has(self, name: str) -> np.ndarray:
        """Whether each row has the field, whichever its type."""
        found = np.zeros(len(self), dtype=bool)
        for column in self.columns_of(name).values():
            found |= column.mask()
        return found

    def with_fields(self, fields: Mapping[Key, Column]) -> Frame:
        return replace(self, fields=fields)

    def without(self, name: str) -> Frame:
        return self.with_fields({key: each for key, each in self.fields.items() if key[0] != name})

    def replaced(self, name: str, columns: Mapping[Type, Column]) -> Frame:
        """With `name` made of these columns alone, at the end of the fields."""
        return self.with_fields(
            {**self.without(name).fields, **{(name, type_): each for type_, each in columns.items()}}
        )

    def numbers(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """A field as float64, and where it is a number; integers are converted, other types are no numbers."""
        values, present = np.zeros(len(self)), np.zeros(len(self), dtype=bool)
        columns = self.columns_of(name)
        for type_ in ("float", "int"):
            if type_ in columns:
                mask = columns[type_].mask()
                values[mask] = columns[type_].values[mask]
                present |= mask
        return values, present


def empty_frame() -> Frame:
    return Frame(
        time_ns=np.empty(0, dtype=np.int64),
        series=np.empty(0, dtype=np.int32),
        group=np.empty(0, dtype=np.int32),
        cause=np.empty(0, dtype=np.int64),
        fields={},
    )


def concatenated(frames: Sequence[Frame]) -> Frame:
    """The rows of all, one frame after the other."""
    frames = [each for each in frames if len(each)]
    if len(frames) == 1:
        return frames[0]
    if not frames:
        return empty_frame()
    return Frame(
        time_ns=np.concatenate([each.time_ns for each in frames]),
        series=np.concatenate([each.series for each in frames]),
        group=np.concatenate([each.group for each in frames]),
        cause=np.concatenate([each.cause for each in frames]),
        fields={key: _joined(key, frames) for key in _keys(frames)},
    )


def _keys(frames: Iterable[Frame]) -> dict[Key, None]:
    return {key: None for each in frames for key in each.fields}


def _joined(key: Key, frames: Sequence[Frame]) -> Column:
    columns = [each.fields.get(key) or absent(key[1], len(each)) for each in frames]
    values = np.concatenate([each.values for each in columns])
    if all(each.present is None for each in columns):
        return Column(values)
    return Column(values, np.concatenate([each.mask() for each in columns]))


def absent(type_: Type, rows: int) -> Column:
    """A column that no row is present in."""
    return Column(np.zeros(rows, dtype=DTYPES[type_]), np.zeros(rows, dtype=bool))


def value_at(frame: Frame, row: int) -> dict[str, object]:
    """One row's fields as Python values, sorted by name; a null is None."""
    found: dict[str, object] = {}
    for (name, type_), column in frame.fields.items():
        if column.present is None or column.present[row]:
            value = column.values[row]
            found[name] = None if type_ == "null" else value.item() if isinstance(value, np.generic) else value
    return dict(sorted(found.items()))
