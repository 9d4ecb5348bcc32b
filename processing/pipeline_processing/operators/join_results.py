"""Rows that joined sets make: each parent's fields under its own name.

In:   held points by slot, a column a parent, -1 where a parent gave none.
Out:  fields. What a parent did not give is left out, or filled, under the names that another's point has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numba import njit

from pipeline_processing.operators.held_batches import HeldBatches
from pipeline_processing.operators.merged_fields import MergedFields
from pipeline_processing.points.frame import DTYPES, Column, Key, Type
from pipeline_processing.points.store import RowStore

Fill: TypeAlias = Literal["none", "null"] | float | int
NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    prefixes: tuple[str, ...]
    delimiter: str
    fill: Fill

    @property
    def is_inner(self) -> bool:
        """Only what all parents gave is joined."""
        return self.fill == "none"

    def fields(self, store: RowStore, slot: np.ndarray, like: np.ndarray) -> dict[Key, Column]:
        """The fields of each row of `slot`; `like` is the held point whose names are filled."""
        merged = MergedFields(len(slot))
        for prefix, of_parent in zip(self.prefixes, slot.T, strict=True):
            given = np.flatnonzero(of_parent >= 0)
            for (name, type_), column in store.take(of_parent[given]).fields.items():
                merged.put_column((prefix + self.delimiter + name, type_), given, column)
            if not self.is_inner:
                self._fill(merged, prefix, store.take(like[of_parent < 0]).fields, np.flatnonzero(of_parent < 0))
        return merged.columns()

    def _fill(self, merged: MergedFields, prefix: str, fields: dict[Key, Column], at: np.ndarray) -> None:
        type_ = self._fill_type()
        value = False if self.fill == "null" else self.fill
        for (name, _), column in fields.items():
            filled = Column(np.full(len(at), value, dtype=DTYPES[type_]), column.present)
            merged.put_column((prefix + self.delimiter + name, type_), at, filled)

    def _fill_type(self) -> Type:
        if self.fill == "null":
            return "null"
        return "int" if isinstance(self.fill, int) else "float"


def first_given(slot: np.ndarray) -> np.ndarray:
    """Of each row, the slot of the first parent that gave one."""
    return slot[np.arange(len(slot)), np.argmax(slot >= 0, axis=1)]


def joined_rows(
    held: HeldBatches, slot: np.ndarray, *, is_inner: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The points of batches joined by time: the held rows of each new row, its time and set; and a row for each set, whose
    names are filled.

    From: Kapacitor's `join`: the batches are walked side by side, each step takes the points of the least time that is first
    in any.
    """
    given = slot >= 0
    room = int(held.count[slot[given]].sum())
    first = np.full(slot.shape, NONE)
    first[given] = held.first[slot[given]]
    row, time_ns, of_set = _walked(first, (held.rows.next, held.rows.time_ns), is_inner, room)
    return row, time_ns, of_set, first_given(first)


@njit(cache=True, nogil=True)
def _walked(first, rows, is_inner, room):
    following, times = rows
    parents = first.shape[1]
    row = np.empty((room, parents), dtype=np.int64)
    time_ns, of_set = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    n = 0
    for each in range(len(first)):
        at = first[each].copy()
        while (at >= 0).any():
            row[n] = NONE
            time_ns[n] = _taken(at, row[n], following, times)
            of_set[n] = each
            if not is_inner or (row[n] >= 0).all():
                n += 1
    return row[:n], time_ns[:n], of_set[:n]


@njit(cache=True, nogil=True)
def _taken(at, row, following, times):
    """Takes the points of the least time; a parent whose first is newer keeps it."""
    least = np.iinfo(np.int64).max
    for parent in range(len(at)):
        if at[parent] >= 0:
            least = min(least, times[at[parent]])
    for parent in range(len(at)):
        if at[parent] >= 0 and times[at[parent]] == least:
            row[parent] = at[parent]
            at[parent] = following[at[parent]]
    return least
