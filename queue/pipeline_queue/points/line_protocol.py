"""Line protocol to record batches of points; bad lines do not hinder good ones.

In:      bytes, the unit of their times, and now, for lines without a time; these are bad where it is not given.
Out:     batches of the layout of block.py, in the order of the lines; and each bad line's number, reason and text.
Refuses: nothing but a line; `multiplier_of` (BadPrecision) an unknown unit.
From:    InfluxDB's models/points.go, `ParsePointsWithPrecision`, which names what is read how. Where this differs: a comment
         ends at its newline; a line may end with a carriage return; bytes that are no UTF-8 are refused; so is what
         one_line.py lists, and a line of more than COLUMNS_MAX fields or LINE_BYTES_MAX bytes.
A parser remembers series and fields, within bounds, so that a series' name and tags are read once. It belongs to one thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pipeline_queue.points.columns import Cells, dense, field_array, field_of, long_floats, series_array
from pipeline_queue.points.interning import Interned
from pipeline_queue.points.numbers import STRING
from pipeline_queue.points.one_line import BadLine, Field, Line, in_ns, is_empty, read_line
from pipeline_queue.points.tokenizer import (
    BYTES_MAX,
    CELLS,
    CELLS_MAX,
    COLUMNS,
    COLUMNS_MAX,
    ESCAPED,
    HARDS,
    LINE_BYTES_MAX,
    LONGS,
    ROWS,
    ROWS_MAX,
    TYPES,
    Work,
    tokenize,
)

SERIES_MAX, SERIES_BYTES_MAX = 1_048_576, 128 * 1024 * 1024
FIELDS_MAX, FIELDS_BYTES_MAX = 65_536, 16 * 1024 * 1024
"""What a parser remembers; beyond that it begins anew."""
TEXT_SHOWN_MAX = 200
BAD_MAX = 10_000
"""A body that has more is none of line protocol: after the block that has them, no line is read."""
NEVER_NS = 2**63 - 1
"""No line can have it."""
NS_OF = {"n": 1, "u": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_ALIASES = {"": "n", "ns": "n", "us": "u", "µ": "u"}


class BadPrecision(ValueError):
    def __init__(self, precision: str) -> None:
        super().__init__(f'invalid precision "{precision}" (use n, u, ms, s, m or h)')


@dataclass(frozen=True, slots=True)
class Bad:
    """`line` counts from 1; `text` is cut after TEXT_SHOWN_MAX characters."""

    line: int
    reason: str
    text: str


@dataclass(slots=True)
class Parsed:
    batches: list[pa.RecordBatch] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.batches))


def multiplier_of(precision: str) -> int:
    """How many ns the unit has; raises BadPrecision."""
    name = _ALIASES.get(precision, precision)
    if name not in NS_OF:
        raise BadPrecision(precision)
    return NS_OF[name]


class Parser:
    def __init__(self) -> None:
        self._series = Interned(names_max=SERIES_MAX, bytes_max=SERIES_BYTES_MAX)
        self._fields = Interned(names_max=FIELDS_MAX, bytes_max=FIELDS_BYTES_MAX)
        self._work = _new_work(self._series, self._fields)

    def parse(self, body: bytes, *, precision: str = "n", now_ns: int | None) -> Parsed:
        """Raises BadPrecision."""
        multiplier = multiplier_of(precision)
        text, now_ns = _Text(body), NEVER_NS if now_ns is None else now_ns - now_ns % multiplier
        at, parsed = 0, Parsed()
        while at < len(body) and len(parsed.bad) <= BAD_MAX:
            at, block = self._tokenized(text, at, multiplier, now_ns)
            block.refuse_without_time()
            if block.kept.any():
                parsed.batches.append(self._batch(text, block))
            parsed.bad.extend(text.bad(block.begins[row], block.ends[row], block.bad[row]) for row in sorted(block.bad))
        if at < len(body):
            parsed.bad.append(
                text.bad(at, at, f"after {len(parsed.bad):,} bad lines, this and what follows was not read")
            )
        return parsed

    def _tokenized(self, text: _Text, at: int, multiplier: int, now_ns: int) -> tuple[int, _Block]:
        """Where the next block begins, and this one."""
        self._series.make_room(names=ROWS_MAX, size=2 * BYTES_MAX)
        self._fields.make_room(names=2 * COLUMNS_MAX, size=2 * BYTES_MAX)
        work = self._work = _fitting(self._work, self._series, self._fields)
        work.counts[:] = 0
        after = tokenize(text.array, at, multiplier, now_ns, work)
        work.column_cells[work.cell_column[: work.counts[CELLS]]] = 0
        longs = work.longs[: work.counts[LONGS]]
        if len(longs):
            work.cell_float[longs] = long_floats(text.array, work.cell_bits[longs])
        block = _Block(work=work, multiplier=multiplier, now_ns=now_ns, rows=int(work.counts[ROWS]))
        block.refuse_other_than_utf8(text)
        for row in work.hards[: work.counts[HARDS]].tolist():
            if row not in block.bad and not self._read_hard(text, block, row):
                return int(work.begins[row]), block.cut(row)
        return after, block

    def _read_hard(self, text: _Text, block: _Block, row: int) -> bool:
        """Read one line exactly; False where the block has no room for it."""
        written = text.body[block.begins[row] : block.ends[row]]
        block.kept[row] = False
        if is_empty(written):
            return True
        try:
            if len(written) > LINE_BYTES_MAX:
                raise BadLine(f"{len(written):,} bytes, allowed are {LINE_BYTES_MAX:,}")
            line = read_line(written)
            time_ns = block.now_ns if line.time is None else in_ns(line.time, block.multiplier)
            if len(line.fields) > COLUMNS_MAX:
                raise BadLine(f"{len(line.fields):,} fields, allowed are {COLUMNS_MAX:,}")
        except BadLine as reason:
            block.bad[row] = str(reason)
            return True
        if not block.add(row, line, self._fields):
            return False
        block.work.time_ns[row], block.work.row_series[row] = time_ns, self._series.number(line.key)
        if line.prefix != line.key:
            self._series.stands_for(line.prefix, int(block.work.row_series[row]))
        return True

    def _batch(self, text: _Text, block: _Block) -> pa.RecordBatch:
        work, kept = block.work, block.kept
        columns = dense(block.cells(), kept)
        arrays = [pa.array(work.time_ns[: block.rows][kept])]
        arrays.append(series_array(work.row_series[: block.rows][kept], self._series.table))
        names = ["time", "series"]
        for column, bits, present in zip(columns.columns, columns.bits, columns.present, strict=True):
            number, kind = field_of(column)
            names.append(self._fields.name(number).decode())
            arrays.append(field_array(text.array, kind, bits, present))
        return pa.RecordBatch.from_arrays(arrays, names=names)


class _Text:
    """A body, and how far its lines are counted."""

    def __init__(self, body: bytes) -> None:
        self.body, self.array = body, np.frombuffer(body, dtype=np.uint8)
        self.is_utf8 = body.isascii() or _is_utf8(body)
        self._counted, self._line = 0, 1

    def bad(self, begin: int, end: int, reason: str) -> Bad:
        """Called in the order of the lines."""
        begin, end = int(begin), int(end)
        self._line += self.body.count(b"\n", self._counted, begin)
        self._counted = begin
        shown = self.body[begin : min(end, begin + 4 * TEXT_SHOWN_MAX)].decode(errors="replace")
        return Bad(self._line, reason, shown.removesuffix("\r")[:TEXT_SHOWN_MAX])


class _Block:
    """What the tokenizer found, and what is added to it for hard lines; `kept` are the rows that are points."""

    def __init__(self, *, work: Work, multiplier: int, now_ns: int, rows: int) -> None:
        self.work, self.multiplier, self.now_ns, self.rows = work, multiplier, now_ns, rows
        self.begins, self.ends = work.begins, work.ends
        self.kept = np.ones(rows, dtype=bool)
        self.bad: dict[int, str] = {}
        self._columns = int(work.counts[COLUMNS])
        self._added: list[tuple[int, int, int]] = []
        self._added_columns: set[int] = set()

    def refuse_other_than_utf8(self, text: _Text) -> None:
        if text.is_utf8:
            return
        for row in range(self.rows):
            if not _is_utf8(text.body[self.begins[row] : self.ends[row]]):
                self.kept[row] = False
                self.bad[row] = "not UTF-8"

    def refuse_without_time(self) -> None:
        """Where nobody said what time it is."""
        if self.now_ns == NEVER_NS:
            for row in np.flatnonzero(self.kept & (self.work.time_ns[: self.rows] == NEVER_NS)).tolist():
                self.kept[row] = False
                self.bad[row] = "it has no time"

    def add(self, row: int, line: Line, fields: Interned) -> bool:
        """A hard line's fields; False where the columns would be too large."""
        begin = int(self.begins[row])
        cells = [
            (row, fields.number(each.name) * TYPES + each.kind, _bits(each, begin)) for each in line.fields.values()
        ]
        columns = self._added_columns | {column for _, column, _ in cells}
        if (self._columns + len(columns)) * (row + 1) > CELLS_MAX and row > 0:
            return False
        self._added.extend(cells)
        self._added_columns = columns
        self.kept[row] = True
        return True

    def cut(self, rows: int) -> _Block:
        """The block with its first rows alone."""
        self.rows, self.kept = rows, self.kept[:rows]
        self.bad = {row: reason for row, reason in self.bad.items() if row < rows}
        return self

    def cells(self) -> Cells:
        work, count = self.work, int(np.searchsorted(self.work.cell_row[: self.work.counts[CELLS]], self.rows))
        row, column, bits = work.cell_row[:count], work.cell_column[:count], work.cell_bits[:count]
        if self._added:
            added = np.array(self._added, dtype=np.int64).T
            row, column = np.concatenate([row, added[0]]), np.concatenate([column, added[1]])
            bits = np.concatenate([bits, added[2]])
        return Cells(row=row.astype(np.int32), column=column.astype(np.int32), bits=bits)


def _bits(field_: Field, begin: int) -> int:
    return ESCAPED | (begin + field_.begin) << 32 | field_.bits if field_.kind == STRING else field_.bits


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _new_work(series: Interned, fields: Interned) -> Work:
    cells = CELLS_MAX + COLUMNS_MAX + 1
    bits = np.empty(cells, dtype=np.int64)
    return Work(
        series=series.table,
        fields=fields.table,
        time_ns=np.empty(ROWS_MAX, dtype=np.int64),
        row_series=np.empty(ROWS_MAX, dtype=np.int32),
        begins=np.empty(ROWS_MAX, dtype=np.int64),
        ends=np.empty(ROWS_MAX, dtype=np.int64),
        cell_row=np.empty(cells, dtype=np.int32),
        cell_column=np.empty(cells, dtype=np.int32),
        cell_bits=bits,
        cell_float=bits.view(np.float64),
        column_cells=np.zeros(TYPES * len(fields.table.hashes), dtype=np.int32),
        columns=np.empty(cells, dtype=np.int32),
        hards=np.empty(ROWS_MAX, dtype=np.int32),
        longs=np.empty(cells, dtype=np.int32),
        guesses=np.zeros(COLUMNS_MAX, dtype=np.int32),
        counts=np.zeros(5, dtype=np.int64),
    )


def _fitting(work: Work, series: Interned, fields: Interned) -> Work:
    """With the tables as they are now."""
    columns = TYPES * len(fields.table.hashes)
    if len(work.column_cells) < columns:
        work = work._replace(column_cells=np.zeros(columns, dtype=np.int32))
    return work._replace(series=series.table, fields=fields.table)
