"""A topic's frames as rows, read by other means than the page's: names once, what all rows share once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def rows_in(frame: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events of a frame in columns; an id that was left out follows from producer and number."""
    columns = frame["columns"]
    spread = {
        name: column if isinstance(column, list) else [column] * frame["count"] for name, column in columns.items()
    }
    rows = [dict(zip(spread, values, strict=True)) for values in zip(*spread.values(), strict=True)]
    return [{"event_id": f"{row['producer']}-{row['seq']:012d}", **row} for row in rows]


def rows_of(bodies: Iterable[bytes]) -> list[dict[str, Any]]:
    return [row for body in bodies for row in rows_in(json.loads(body))]
