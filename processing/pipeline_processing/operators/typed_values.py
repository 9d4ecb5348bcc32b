"""A field's values in batches, by type: a batch has the type of its first value that a function takes.

In:      batches, and the types that the function takes.
Out:     a part for each type: its batches, and their values one batch after the other.
Refuses: points without the field, and those whose value is of another type than their batch; they are counted, by reason.
From:    Kapacitor's InfluxQL functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame, Type

CODES: Mapping[str, int] = {"float": 1, "int": 2, "bool": 3, "string": 4}
MISSING, OTHER = 0, 5
NO_TYPE = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The batches of one type; `at` are their positions among all, `row` those of their values' rows."""

    type: Type
    at: np.ndarray
    row: np.ndarray
    start: np.ndarray
    values: np.ndarray
    time_ns: np.ndarray

    def batch_of_value(self) -> np.ndarray:
        """By position in this part."""
        return np.repeat(np.arange(len(self.at)), np.diff(self.start))

    def ranks(self) -> np.ndarray:
        """Numbers in the values' order; the values themselves where they are numbers."""
        if self.type in ("float", "int"):
            return self.values
        return np.unique(self.values, return_inverse=True)[1].reshape(-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    type_code: np.ndarray
    """Of each batch; 0 where none of its values has a type that is taken."""
    parts: Sequence[Part]
    errors: Mapping[str, int]


def typed(batches: Batches, field: str, takes: Sequence[Type]) -> Typed:
    code = _codes(batches.rows, field)
    taken = np.zeros(OTHER + 1, dtype=bool)
    taken[[CODES[type_] for type_ in takes]] = True
    type_code, good = _types(code, batches.start, taken)
    missing = int((code == MISSING).sum())
    wrong = len(code) - int(good.sum()) - missing
    errors = {f'field "{field}" is missing': missing, f'field "{field}" has another type': wrong}
    columns = batches.rows.columns_of(field)
    parts = [_part(batches, columns[each].values, each, type_code, good) for each in takes if CODES[each] in type_code]
    return Typed(type_code=type_code, parts=parts, errors={reason: count for reason, count in errors.items() if count})


def _codes(rows: Frame, field: str) -> np.ndarray:
    code = np.full(len(rows), MISSING, dtype=np.int8)
    for type_, column in rows.columns_of(field).items():
        code[... if column.present is None else column.present] = CODES.get(type_, OTHER)
    return code


def _part(batches: Batches, values: np.ndarray, type_: Type, type_code: np.ndarray, good: np.ndarray) -> Part:
    at = np.flatnonzero(type_code == CODES[type_])
    if len(at) == len(batches) and good.all():
        row, start = np.arange(len(good)), batches.start
    else:
        of_type = good & np.repeat(type_code == CODES[type_], batches.sizes)
        row = np.flatnonzero(of_type)
        values = values[row]
        before = np.concatenate(([0], np.cumsum(of_type)))
        start = np.append(before[batches.start[:-1][at]], before[-1])
    return Part(type=type_, at=at, row=row, start=start, values=values, time_ns=batches.rows.time_ns[row])


@njit(cache=True, nogil=True)
def _types(code, start, taken):
    """Each batch's type, and whether each row has its batch's."""
    types = np.zeros(len(start) - 1, dtype=np.int8)
    good = np.zeros(len(code), dtype=np.bool_)
    for batch in range(len(types)):
        for row in range(start[batch], start[batch + 1]):
            if types[batch] == 0 and taken[code[row]]:
                types[batch] = code[row]
            good[row] = types[batch] != 0 and code[row] == types[batch]
    return types, good
