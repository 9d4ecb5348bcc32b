"""`python -m pipeline_display.tail DEMO`: what a demo's tables hold, as lines, until Ctrl-C.

In:   a demo that reads tables; STORES, as for the pages.
Out:  of windows a heading, then the newest, then one line for each window that is new or changed; of tables that a job
      computed once the end of each, and again when the job was run again.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from pipeline_output.errors import OutputError
from pipeline_output.tables import TABLES, Table
from pipeline_queue.errors import QueueError
from pipeline_queue.settings import filled
from pipeline_queue.topics import Column

from pipeline_display.demos import DEMOS
from pipeline_display.ends import ends
from pipeline_display.feeds.windows import WindowReader
from pipeline_display.path import store_of
from pipeline_display.settings import DisplaySettings

HISTORY_S = 10.0
WIDTHS = {"int64": 6, "boolean": 3, "string": 8, "float64": 9}
DECIMALS = {"KiB": 0, "%": 2}
"""By unit; other figures have four."""
LEFT_OUT = ("_min", "_max", "ids")
"""A table of several measures has too many figures for a line; their extremes are on the page, ids are the auditor's."""


def main(name: str) -> None:
    """Print until stopped."""
    demo = DEMOS[name]
    url = store_of(demo, filled(DisplaySettings).store_urls)
    if url is None:
        raise SystemExit(f"no store for `{name}`: set STORES to its URL, as in `{demo.store}:///folder`")
    tables = [TABLES[table] for table in demo.tables]
    for line in ends(url, tables) if demo.is_settled else windows(url, tables[0]):
        print(line, flush=True)


def windows(url: str, table: Table) -> Iterator[str]:
    reader = WindowReader(url, table, history_s=HISTORY_S)
    yield heading(table)
    while True:
        yield from lines(table, reader.look().bodies)


def heading(table: Table) -> str:
    return "  ".join(["window  ", *(_placed(column, _short(column)) for column in _shown(table))])


def lines(table: Table, bodies: list[bytes]) -> Iterator[str]:
    """One line for each row of the frames."""
    for body in bodies:
        for row in msgspec.json.decode(body)["rows"]:
            yield line_of(table, row)


def line_of(table: Table, row: Mapping[str, Any]) -> str:
    """Local time, what else makes the row one, counts and figures; a dash for what a window of late events has not."""
    start = datetime.fromtimestamp(row[table.time] / 1e9)
    values = (_placed(column, _told(column, row[column.name])) for column in _shown(table))
    return "  ".join([f"{start:%H:%M:%S}", *values])


def _shown(table: Table) -> list[Column]:
    """All but times: the window's start stands first, and a line is printed when there is news."""
    return [each for each in table.columns if each.unit != "ns" and not each.name.endswith(LEFT_OUT)]


def _short(column: Column) -> str:
    return column.name.removesuffix("_mean").replace("standard_deviation", "sd")


def _told(column: Column, value: Any) -> str:
    if value is None:
        return "-"
    if column.kind == "boolean":
        return "yes" if value else "no"
    if column.kind == "float64":
        return f"{value:,.{DECIMALS.get(column.unit, 4)}f}"
    return f"{value:,}" if column.kind == "int64" else value


def _placed(column: Column, text: str) -> str:
    """Words to the left, numbers to the right of a column that its heading fits in."""
    width = max(len(_short(column)), WIDTHS[column.kind])
    return f"{text:<{width}}" if column.kind == "string" else f"{text:>{width}}"


if __name__ == "__main__":
    tables = [name for name, demo in DEMOS.items() if demo.table]
    if len(sys.argv) != 2 or sys.argv[1] not in tables:
        sys.exit(f"usage: python -m pipeline_display.tail {{{','.join(tables)}}}")
    with contextlib.suppress(KeyboardInterrupt):
        try:
            main(sys.argv[1])
        except (OutputError, QueueError) as error:
            sys.exit(str(error))
