"""`python -m pipeline_display.tail DEMO`: the windows of a demo as lines, each when it is new and when it changes.

In:   a demo that reads a table; STORES, as for the pages.
Out:  a heading, then the newest windows, then one line for each window that is new or changed, until Ctrl-C.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from pipeline_output.errors import OutputError
from pipeline_output.tables import TABLES
from pipeline_queue.errors import QueueError
from pipeline_queue.settings import filled

from pipeline_display.demos import DEMOS
from pipeline_display.feeds.windows import WindowReader
from pipeline_display.path import store_of
from pipeline_display.settings import DisplaySettings

HISTORY_S = 10.0
FIGURES = ("mean", "standard_deviation", "min", "max", "p50", "p90", "p99")


def main(name: str) -> None:
    """Print until stopped."""
    demo = DEMOS[name]
    url = store_of(demo, filled(DisplaySettings).store_urls)
    if url is None:
        raise SystemExit(f"no store for `{name}`: set STORES to its URL, as in `{demo.store}:///folder`")
    reader = WindowReader(url, TABLES[demo.table], history_s=HISTORY_S)
    print(heading())
    while True:
        for line in lines(reader.look().bodies):
            print(line, flush=True)


def heading() -> str:
    return "  ".join(["window  ", " count", "  late", *(f"{name[:9]:>9}" for name in FIGURES)])


def lines(bodies: list[bytes]) -> Iterator[str]:
    """One line for each row of the frames."""
    for body in bodies:
        yield from map(line_of, msgspec.json.decode(body)["rows"])


def line_of(row: Mapping[str, Any]) -> str:
    """Local time, counts and figures; a dash for what a window of late events has not."""
    start = datetime.fromtimestamp(row["window_start_ns"] / 1e9)
    figures = (f"{'-':>9}" if row[name] is None else f"{row[name]:9.4f}" for name in FIGURES)
    return "  ".join([f"{start:%H:%M:%S}", f"{row['count']:6,}", f"{row['late']:6,}", *figures])


if __name__ == "__main__":
    tables = [name for name, demo in DEMOS.items() if demo.table]
    if len(sys.argv) != 2 or sys.argv[1] not in tables:
        sys.exit(f"usage: python -m pipeline_display.tail {{{','.join(tables)}}}")
    with contextlib.suppress(KeyboardInterrupt):
        try:
            main(sys.argv[1])
        except (OutputError, QueueError) as error:
            sys.exit(str(error))
