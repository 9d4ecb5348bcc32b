"""Fields of new rows, put together from columns of others.

In:   values for some of the rows, under a name and a type, and in which order they count.
Out:  columns. Where several values were put into a row under one name, the last stays, whatever their types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline_processing.points.frame import DTYPES, Column, Key, Type


@dataclass(frozen=True, slots=True)
class Put:
    type_: Type
    at: np.ndarray
    values: np.ndarray
    order: np.ndarray | None

    def ordinals(self) -> np.ndarray:
        return np.zeros(len(self.at), dtype=np.int64) if self.order is None else self.order


@dataclass(slots=True)
class MergedFields:
    rows: int
    _puts: dict[str, list[Put]] = field(default_factory=dict)

    def put(self, key: Key, at: np.ndarray, values: np.ndarray, order: np.ndarray | None = None) -> None:
        """Values at these rows, of which one may come again; without an order, after all that were put before."""
        if len(at):
            name, type_ = key
            self._puts.setdefault(name, []).append(Put(type_, at, values, order))

    def put_column(self, key: Key, at: np.ndarray, column: Column, order: np.ndarray | None = None) -> None:
        """Each row of the column that has a value, at the row that stands beside it in `at`."""
        if column.present is None:
            self.put(key, at, column.values, order)
        else:
            has = column.present
            self.put(key, at[has], column.values[has], None if order is None else order[has])

    def columns(self) -> dict[Key, Column]:
        return {
            (name, type_): column for name, puts in self._puts.items() for type_, column in self._merged(puts).items()
        }

    def _merged(self, puts: Sequence[Put]) -> Mapping[Type, Column]:
        if len(puts) == 1 and puts[0].order is None:
            return {puts[0].type_: self._alone(puts[0])}
        order = np.argsort(np.concatenate([each.ordinals() for each in puts]), kind="stable")
        last = np.full(self.rows, -1)
        last[np.concatenate([each.at for each in puts])[order]] = order
        made: dict[Type, Column] = {}
        begin = 0
        for each in puts:
            mine = np.flatnonzero((last >= begin) & (last < begin + len(each.at)))
            if len(mine):
                column = made.setdefault(each.type_, _empty(each.type_, self.rows))
                column.values[mine], column.present[mine] = each.values[last[mine] - begin], True
            begin += len(each.at)
        return {type_: _plain(each) for type_, each in made.items()}

    def _alone(self, put: Put) -> Column:
        column = _empty(put.type_, self.rows)
        column.values[put.at], column.present[put.at] = put.values, True
        return _plain(column)


def _plain(column: Column) -> Column:
    return Column(column.values) if column.present.all() else column


def _empty(type_: Type, rows: int) -> Column:
    return Column(np.zeros(rows, dtype=DTYPES[type_]), np.zeros(rows, dtype=bool))
