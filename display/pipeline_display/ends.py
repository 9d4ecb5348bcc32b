"""The ends of tables as lines for a terminal, as `tail` prints those of files.

In:   a store's tables that a job computed; they are read as the pages read them.
Out:  for each table its name, its columns and its last rows, and all of it again when it has changed; for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from pipeline_output.tables import TABLES, Table
from pipeline_queue.topics import Column

from pipeline_display.feeds.settled import Rows, SettledReader

ROWS_SHOWN = 12
"""As much as one sees at a glance: of ages by sex four years."""


def ends(url: str, tables: Sequence[Table]) -> Iterator[str]:
    """Waits for news between the lines; raises OutputError when the store does not answer."""
    reader = SettledReader(url, tables)
    known: dict[str, Rows] = {}
    while True:
        for name, rows in rows_by_table(reader.look().bodies).items():
            known.setdefault(name, {}).update(rows)
            yield from end_of_table(TABLES[name], known[name])


def rows_by_table(bodies: list[bytes]) -> dict[str, Rows]:
    """The frames' rows by table and key."""
    found: dict[str, Rows] = {}
    for frame in map(msgspec.json.decode, bodies):
        order = TABLES[frame["table"]].order
        found.setdefault(frame["table"], {}).update((tuple(map(row.get, order)), row) for row in frame["rows"])
    return found


def end_of_table(table: Table, rows: Rows) -> Iterator[str]:
    """The last rows by time and key, below the table's name and its columns; its times are left out."""
    columns = [column for column in table.columns if column.unit != "ns"]
    last = [row for _, row in sorted(rows.items())[-ROWS_SHOWN:]]
    cells = [[cell(column, row[column.name]) for row in last] for column in columns]
    widths = [max(map(len, [column.name, *those])) for column, those in zip(columns, cells, strict=True)]
    yield f"==> {table.name}: the last {len(last)} of {len(rows):,} rows <=="
    for texts in [[column.name for column in columns], *zip(*cells, strict=True)]:
        yield "  ".join(aligned(*each) for each in zip(columns, texts, widths, strict=True)).rstrip()


def cell(column: Column, value: Any) -> str:
    """With separators, but for a year, which is no amount."""
    if column.kind == "float64":
        return f"{value:,.2f}"
    return f"{value:,}" if column.kind == "int64" and column.unit != "year" else str(value)


def aligned(column: Column, text: str, width: int) -> str:
    return text.ljust(width) if column.kind == "string" else text.rjust(width)
