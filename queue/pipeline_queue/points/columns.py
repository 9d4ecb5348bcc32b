"""Cells to an Arrow record batch: the columns of one block of points.

In:   the text, the cells that the tokenizer found in it, and which rows are kept.
Out:  a record batch of the layout that block.py describes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numba import njit

from pipeline_queue.points.interning import NONE, Table
from pipeline_queue.points.numbers import BOOL, FLOAT, INT, STRING
from pipeline_queue.points.tokenizer import BACKSLASH, ESCAPED, QUOTE, TYPES

ARROW_TYPES = {FLOAT: pa.float64(), INT: pa.int64(), BOOL: pa.bool_(), STRING: pa.utf8()}
LENGTH_BITS = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """By cell: its row, its column (see `TYPES`), and its bits as the tokenizer writes them."""

    row: np.ndarray
    column: np.ndarray
    bits: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """By column and row."""

    columns: np.ndarray
    bits: np.ndarray
    present: np.ndarray


def dense(cells: Cells, kept: np.ndarray) -> Dense:
    """Of the kept rows alone; columns that none of them has are left out."""
    columns, place = _places(cells.column)
    bits = np.zeros((len(columns), len(kept)), dtype=np.int64)
    present = np.zeros((len(columns), len(kept)), dtype=np.bool_)
    _scatter(cells.row, place, cells.bits, bits, present)
    if not kept.all():
        bits, present = bits[:, kept], present[:, kept]
        used = present.any(axis=1)
        columns, bits, present = columns[used], bits[used], present[used]
    return Dense(columns=columns, bits=bits, present=present)


def field_array(text: np.ndarray, kind: int, bits: np.ndarray, present: np.ndarray) -> pa.Array:
    """One column; strings are copied out of the text."""
    rows = len(bits)
    has_all = bool(present.all())
    validity = None if has_all else _bitmap(present)
    if kind == STRING:
        offsets, data = _texts(text, bits, present)
        return pa.Array.from_buffers(pa.utf8(), rows, [validity, pa.py_buffer(offsets), pa.py_buffer(data)])
    values = _bitmap(bits.astype(bool)) if kind == BOOL else pa.py_buffer(bits)
    return pa.Array.from_buffers(ARROW_TYPES[kind], rows, [validity, values])


def series_array(series: np.ndarray, table: Table) -> pa.Array:
    """The series of each row, by its number in the table, as a dictionary of those that are used."""
    codes, used = _coded(series, table.local)
    offsets, data = _names(table, used)
    keys = pa.Array.from_buffers(pa.binary(), len(used), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    return pa.DictionaryArray.from_arrays(pa.array(codes), keys)


def long_floats(text: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Floats, correctly rounded, from where their texts are."""
    offsets, data = _texts(text, bits, np.ones(len(bits), dtype=np.bool_))
    texts = pa.Array.from_buffers(pa.utf8(), len(bits), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    return texts.cast(pa.float64()).to_numpy()


def _places(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns in order of their first cell, and the place of each cell's column among them."""
    place_of = np.full(int(column.max(initial=0)) + 1, NONE, dtype=np.int32)
    columns, place = np.empty(len(place_of), dtype=np.int32), np.empty(len(column), dtype=np.int32)
    return columns[: _placed(column, place_of, columns, place)], place


@njit(cache=True, nogil=True)
def _placed(column: np.ndarray, place_of: np.ndarray, columns: np.ndarray, place: np.ndarray) -> int:
    count = 0
    for cell in range(len(column)):
        each = column[cell]
        if place_of[each] == NONE:
            place_of[each] = count
            columns[count] = each
            count += 1
        place[cell] = place_of[each]
    return count


@njit(cache=True, nogil=True)
def _scatter(row: np.ndarray, place: np.ndarray, cell: np.ndarray, bits: np.ndarray, present: np.ndarray) -> None:
    for i in range(len(row)):
        bits[place[i], row[i]] = cell[i]
        present[place[i], row[i]] = True


def _bitmap(mask: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(np.packbits(mask, bitorder="little"))


def _coded(series: np.ndarray, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    codes, used = np.empty(len(series), dtype=np.int32), np.empty(len(series), dtype=np.int32)
    return codes, used[: _code(series, local, codes, used)]


@njit(cache=True, nogil=True)
def _code(series: np.ndarray, local: np.ndarray, codes: np.ndarray, used: np.ndarray) -> int:
    count = 0
    for row in range(len(series)):
        each = series[row]
        if local[each] == NONE:
            local[each] = count
            used[count] = each
            count += 1
        codes[row] = local[each]
    for i in range(count):
        local[used[i]] = NONE
    return count


@njit(cache=True, nogil=True)
def _names(table: Table, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.zeros(len(used) + 1, dtype=np.int32)
    for i in range(len(used)):
        offsets[i + 1] = offsets[i] + table.ends[used[i]] - table.begins[used[i]]
    data = np.empty(offsets[-1], dtype=np.uint8)
    for i in range(len(used)):
        begin = table.begins[used[i]]
        for j in range(offsets[i + 1] - offsets[i]):
            data[offsets[i] + j] = table.arena[begin + j]
    return offsets, data


@njit(cache=True, nogil=True)
def _texts(text: np.ndarray, bits: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and bytes; a backslash before a quote or a backslash goes."""
    offsets, total = np.zeros(len(bits) + 1, dtype=np.int32), 0
    for row in range(len(bits)):
        if present[row]:
            total += bits[row] & LENGTH_BITS
    data, filled = np.empty(total, dtype=np.uint8), 0
    for row in range(len(bits)):
        if present[row]:
            at = (bits[row] & ~ESCAPED) >> 32
            end = at + (bits[row] & LENGTH_BITS)
            is_escaped = bits[row] & ESCAPED != 0
            while at < end:
                if is_escaped and text[at] == BACKSLASH and text[at + 1] in (BACKSLASH, QUOTE):
                    at += 1
                data[filled] = text[at]
                filled += 1
                at += 1
        offsets[row + 1] = filled
    return offsets, data[:filled]


def field_of(column: int) -> tuple[int, int]:
    """The field's number and the kind of a column."""
    return divmod(int(column), TYPES)
