"""What a write is answered: nothing where all is well, else JSON with `error`, as clients of InfluxDB and Kapacitor expect.

In:   bad lines, refusals.
Out:  (HTTP status, headers, body).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeAlias

from pipeline_queue.points.line_protocol import Bad

Answer: TypeAlias = tuple[int, list[tuple[str, str]], bytes]
JSON = [("content-type", "application/json")]
RETRY_AFTER_S = 1
LINES_SHOWN_MAX = 100
DONE: Answer = (204, [], b"")


def refused(status: int, reason: object) -> Answer:
    return _error(status, str(reason))


def bad_lines(bad: Sequence[Bad], *, points: int) -> Answer:
    """`points` so many of the others are kept."""
    told = [f"line {each.line}: unable to parse '{each.text}': {each.reason}" for each in bad[:LINES_SHOWN_MAX]]
    if len(bad) > LINES_SHOWN_MAX:
        told.append(f"and lines {_ranges([each.line for each in bad[LINES_SHOWN_MAX:]])}")
    return _error(400, ("partial write: " if points else "") + "\n".join(told))


def unavailable(reason: object) -> Answer:
    status, headers, body = _error(503, f"{reason}; nothing was written, try again")
    return status, [*headers, ("retry-after", str(RETRY_AFTER_S))], body


def _ranges(numbers: Sequence[int]) -> str:
    """`3, 5-7`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _error(status: int, reason: str) -> Answer:
    return status, [*JSON, ("x-influxdb-error", _one_line(reason))], json.dumps({"error": reason}).encode()


def _one_line(reason: str) -> str:
    """As a header may say it."""
    return "".join(each if " " <= each <= "~" else "?" for each in reason[:200])
