"""Line protocol to cells: a kernel that goes over the bytes once.

In:   a text, a place in it where a line begins, and arrays to fill.
Out:  a row for each line that is neither empty nor a comment, and a cell for each of its fields. A line that is wrong or
      unusual has a row without cells and is listed as hard: one_line.py reads it exactly, its row is kept for it.
Ends at ROWS_MAX rows, at BYTES_MAX bytes, and before a line that makes the columns larger than CELLS_MAX.
From: InfluxDB's models/points.go for what a line is. Here a comment ends at its newline, whatever it holds, and a line may
      end with a carriage return.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from pipeline_queue.points.interning import HASH_BEGIN, NONE, Table, add, find, hashed, is_name, mixed
from pipeline_queue.points.kernels import INLINED, KERNEL
from pipeline_queue.points.numbers import (
    COMMA,
    FLOAT,
    HARD,
    LONG_FLOAT,
    NEWLINE,
    RETURN,
    SPACE,
    STRING,
    boolean,
    number,
    time,
)

ROWS_MAX = 10_000
BYTES_MAX = 3 * 1024 * 1024
"""Of text in one block, which leaves room for what Arrow adds."""
LINE_BYTES_MAX = 2 * 1024 * 1024
"""Then a block of one point is within its bounds."""
CELLS_MAX = 400_000
"""Rows times columns, missing values included: 3.2 MB of numbers."""
COLUMNS_MAX = 4096
TYPES = 4
"""A column is a field times TYPES plus a type; see numbers.py."""
KEY_BYTES_MAX, NAME_BYTES_MAX = 60_000, 5_000
"""Of lines that are not hard; together they are below what a key may have."""
TAB, NUL, QUOTE, HASH, EQUALS, BACKSLASH = 9, 0, 34, 35, 61, 92
ESCAPED = 1 << 62
"""Marks a string that has a backslash."""
ROWS, CELLS, COLUMNS, HARDS, LONGS = 0, 1, 2, 3, 4


class Work(NamedTuple):
    """What the kernel fills; `counts` says how far (ROWS to LONGS)."""

    series: Table
    fields: Table
    """Their `local` is the row that had the field last."""
    time_ns: np.ndarray
    row_series: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    """Of each row's line."""
    cell_row: np.ndarray
    cell_column: np.ndarray
    cell_bits: np.ndarray
    """Integers and booleans as they are, floats by their bits, strings as begin * 2**32 + length."""
    cell_float: np.ndarray
    """The same memory."""
    column_cells: np.ndarray
    """How many cells each column has, by field and type; zero between blocks."""
    columns: np.ndarray
    """Those that have cells in this block."""
    hards: np.ndarray
    """Rows."""
    longs: np.ndarray
    """Cells whose bits are the begin * 2**32 + length of a float's text."""
    guesses: np.ndarray
    """The field that stood at each place of the last line."""
    counts: np.ndarray


@njit(**KERNEL)
def tokenize(text: np.ndarray, at: int, multiplier: int, now_ns: int, work: Work) -> int:
    """Where the next block begins. The rows of lines that have no time get `now_ns`."""
    counts, length, begin = work.counts, len(text), at
    while at < length and counts[ROWS] < ROWS_MAX and at - begin < BYTES_MAX:
        if text[at] == NEWLINE:
            at += 1
            continue
        if text[at] == HASH:
            at = _newline(text, at) + 1
            continue
        row, cells, columns, longs = counts[ROWS], counts[CELLS], counts[COLUMNS], counts[LONGS]
        end = _plain_line(text, at, multiplier, now_ns, work)
        is_hard = end == HARD or end - at > LINE_BYTES_MAX
        if is_hard or (counts[COLUMNS] * (row + 1) > CELLS_MAX and row > 0):
            _undo(work, cells, columns)
            counts[LONGS] = longs
            if not is_hard:
                return at
            end = line_end(text, at)
            work.hards[counts[HARDS]] = row
            counts[HARDS] += 1
            work.row_series[row] = NONE
        work.begins[row], work.ends[row] = at, min(end, length)
        counts[ROWS] = row + 1
        at = end + 1
    return min(at, length)


@njit(**KERNEL)
def line_end(text: np.ndarray, at: int) -> int:
    """Where the line ends that begins at `at`, be it sound or not: at a newline outside of quotes, or at the text's end."""
    first = _after_blanks(text, at)
    if first < len(text) and text[first] == HASH:
        return _newline(text, first)
    is_quoted, in_fields, equals, commas = False, False, 0, 0
    while at < len(text):
        byte = text[at]
        if byte == BACKSLASH:
            at += 2
            continue
        if byte == NEWLINE and not is_quoted:
            break
        in_fields |= byte == SPACE
        if in_fields:
            if byte == QUOTE and equals > commas:
                is_quoted = not is_quoted
            elif not is_quoted:
                equals += byte == EQUALS
                commas += byte == COMMA
        at += 1
    return min(at, len(text))


@njit(**KERNEL)
def _newline(text: np.ndarray, at: int) -> int:
    while at < len(text) and text[at] != NEWLINE:
        at += 1
    return at


@njit(**KERNEL)
def _after_blanks(text: np.ndarray, at: int) -> int:
    while at < len(text) and (text[at] == SPACE or text[at] == TAB or text[at] == NUL):
        at += 1
    return at


@njit(**KERNEL)
def _undo(work: Work, cells: int, columns: int) -> None:
    """Forget the cells and columns that came after these."""
    counts = work.counts
    for cell in range(cells, counts[CELLS]):
        work.column_cells[work.cell_column[cell]] -= 1
    counts[CELLS], counts[COLUMNS] = cells, columns


@njit(**INLINED)
def _plain_line(text: np.ndarray, at: int, multiplier: int, now_ns: int, work: Work) -> int:
    """Where the line ends, or HARD; what is counted then is undone by the caller."""
    row, length = work.counts[ROWS], len(text)
    at, series = _series(text, at, work.series)
    if series == NONE:
        return HARD
    work.row_series[row] = series
    at, place = _after_blanks(text, at), 0
    while True:
        at = _field(text, at, place, work)
        if at in (HARD, length) or text[at] != COMMA:
            break
        at += 1
        place += 1
    if at == HARD:
        return HARD
    work.time_ns[row] = now_ns
    at = _after_blanks(text, at)
    if at < length and text[at] != NEWLINE and text[at] != RETURN:
        at, kind, work.time_ns[row] = time(text, at, multiplier)
        while at < length and text[at] == SPACE:
            at += 1
        if kind == HARD:
            return HARD
    if at < length and text[at] == RETURN:
        at += 1
    return at if at == length or text[at] == NEWLINE else HARD


@njit(**INLINED)
def _series(text: np.ndarray, begin: int, table: Table) -> tuple[int, int]:
    """Where the series' key ends, and its number; NONE for one that is not plain and not known."""
    at, length, hash_ = begin, len(text), HASH_BEGIN
    while at < length and text[at] != SPACE and text[at] != NEWLINE:
        if text[at] == BACKSLASH:
            hash_ = mixed(hash_, text[at])
            at += 1
            if at == length or text[at] == BACKSLASH:
                return at, NONE
        hash_ = mixed(hash_, text[at])
        at += 1
    if at in (begin, length) or text[at] == NEWLINE or at - begin > KEY_BYTES_MAX:
        return at, NONE
    found = find(table, text, (begin, at), hash_)
    if found == NONE and _is_canonical(text, begin, at):
        found = add(table, text, (begin, at), hash_)
    return at, NONE if found == NONE else table.same[found]


@njit(**KERNEL)
def _is_canonical(text: np.ndarray, begin: int, end: int) -> bool:
    """Whether the key is sound, without a backslash, and its tags are sorted."""
    at = begin
    if text[at] in (COMMA, TAB, NUL):
        return False
    while at < end and text[at] != COMMA and text[at] != BACKSLASH:
        at += 1
    before = NONE
    while at < end and text[at] == COMMA:
        key = at + 1
        equals, at = _tag_ends(text, key, end)
        if equals == HARD or (before != NONE and not _is_less(text, before, key, equals)):
            return False
        before = key
    return at == end


@njit(**KERNEL)
def _tag_ends(text: np.ndarray, key: int, end: int) -> tuple[int, int]:
    """Where a tag's name ends, and its value; HARD for one that is not sound or has a backslash."""
    equals = key
    while equals < end and text[equals] not in (EQUALS, COMMA, BACKSLASH):
        equals += 1
    at = equals + 1
    while at < end and text[at] not in (EQUALS, COMMA, BACKSLASH):
        at += 1
    is_sound = key < equals < at - 1 and text[equals] == EQUALS and (at == end or text[at] == COMMA)
    return equals if is_sound else HARD, at


@njit(**KERNEL)
def _is_less(text: np.ndarray, one: int, other: int, end: int) -> bool:
    """Whether a tag's name, up to its `=`, sorts before the one from `other` to `end`."""
    while other < end:
        a, b = text[one], text[other]
        if a == EQUALS:
            return True
        if a != b:
            return a < b
        one += 1
        other += 1
    return False


@njit(**INLINED)
def _field(text: np.ndarray, begin: int, place: int, work: Work) -> int:
    """Where the field's value ends, or HARD."""
    length = len(text)
    at = _name_end(text, begin)
    if at == HARD or at + 1 >= length or place >= COLUMNS_MAX:
        return HARD
    field = _field_number(text, begin, at, place, work)
    at += 1
    first, value, real = text[at], 0, 0.0
    if first == QUOTE:
        at, kind, value = _string(text, at + 1)
    elif first <= 57:  # 9: a digit, a point, a sign, or what is refused there
        begin = at
        at, kind, value, real = number(text, at)
        if kind == LONG_FLOAT:
            value = begin << 32 | (at - begin)
    else:
        at, kind, value, real = boolean(text, at)
    if kind == HARD or field == NONE:
        return HARD
    return at if _put(work, field, kind, value, real) else HARD


@njit(**KERNEL)
def _name_end(text: np.ndarray, at: int) -> int:
    """Of a field's name, where its `=` is; HARD for one that is empty, long, or has a backslash."""
    begin = at
    while at < len(text) and text[at] != EQUALS:
        byte = text[at]
        if byte in (SPACE, COMMA, NEWLINE, BACKSLASH):
            return HARD
        at += 1
    return at if begin < at < begin + NAME_BYTES_MAX else HARD


@njit(**INLINED)
def _field_number(text: np.ndarray, begin: int, end: int, place: int, work: Work) -> int:
    guess = work.guesses[place]
    if guess < work.fields.used[0] and is_name(work.fields, guess, text, begin, end):
        return guess
    hash_ = hashed(text, begin, end)
    found = find(work.fields, text, (begin, end), hash_)
    if found == NONE:
        found = add(work.fields, text, (begin, end), hash_)
    if found != NONE:
        work.guesses[place] = found
    return found


@njit(**KERNEL)
def _string(text: np.ndarray, begin: int) -> tuple[int, int, int]:
    """Where the string ends, its closing quote included."""
    at, length, mark = begin, len(text), 0
    while at < length and text[at] != QUOTE:
        if text[at] == BACKSLASH:
            mark = ESCAPED
            at += 1
        at += 1
    if at >= length or (at + 1 < length and text[at + 1] not in (COMMA, SPACE, NEWLINE, RETURN)):
        return at, HARD, 0
    return at + 1, STRING, mark | begin << 32 | (at - begin)


@njit(**INLINED)
def _put(work: Work, field: int, kind: int, value: int, real: float) -> bool:
    """Add a cell; False for a field that the line has already."""
    counts, row = work.counts, work.counts[ROWS]
    cell = counts[CELLS]
    if work.fields.local[field] == row and _has(work, row, field):
        return False
    work.fields.local[field] = row
    if kind == LONG_FLOAT:
        work.longs[counts[LONGS]] = cell
        counts[LONGS] += 1
    column = field * TYPES + (FLOAT if kind == LONG_FLOAT else kind)
    if work.column_cells[column] == 0:
        work.columns[counts[COLUMNS]] = column
        counts[COLUMNS] += 1
    work.column_cells[column] += 1
    work.cell_row[cell], work.cell_column[cell] = row, column
    if kind == FLOAT:
        work.cell_float[cell] = real
    else:
        work.cell_bits[cell] = value
    counts[CELLS] = cell + 1
    return True


@njit(**KERNEL)
def _has(work: Work, row: int, field: int) -> bool:
    """Whether this row has a cell of the field already."""
    cell = work.counts[CELLS] - 1
    while cell >= 0 and work.cell_row[cell] == row:
        if work.cell_column[cell] // TYPES == field:
            return True
        cell -= 1
    return False
