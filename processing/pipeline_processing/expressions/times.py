"""Functions of times, in UTC."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline_processing.expressions.function import Function, of_columns

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS


def _day(time_ns: Any) -> Any:
    return _date(time_ns, "D") - _date(time_ns, "M").astype("datetime64[D]") + 1


def _month(time_ns: Any) -> Any:
    return _date(time_ns, "M") - _date(time_ns, "Y").astype("datetime64[M]") + 1


def _date(time_ns: Any, unit: str) -> Any:
    return np.asarray(time_ns).astype("datetime64[ns]").astype(f"datetime64[{unit}]")


_OF_TIME = {
    "unixNano": lambda time_ns: time_ns,
    "minute": lambda time_ns: time_ns // MINUTE_NS % 60,
    "hour": lambda time_ns: time_ns // HOUR_NS % 24,
    "weekday": lambda time_ns: (time_ns // DAY_NS + 4) % 7,  # the epoch was a Thursday, and 0 is Sunday
    "day": lambda time_ns: _day(time_ns).astype(np.int64),
    "month": lambda time_ns: _month(time_ns).astype(np.int64),
    "year": lambda time_ns: _date(time_ns, "Y").astype(np.int64) + 1970,
}
TIMES = {
    **{name: of_columns({("time",): "int"}, each) for name, each in _OF_TIME.items()},
    "now": Function({(): "time"}, lambda rows, arguments, kinds: np.int64(rows.now_ns)),
}
