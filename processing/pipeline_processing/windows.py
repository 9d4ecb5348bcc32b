"""Finished windows: rows for the table, from the partial results that a window has so far.

In:   a window's start and its Partials, in any order.
Out:  one row with the columns of `random_numbers_windows`. What a window cannot say is empty: the mean of a window that
      knows only late events, or a sum beyond a double, which stores refuse.
The deviation is the population's. Quantiles are the sketch's, held within the window's true minimum and maximum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from pipeline_processing.partials import WINDOW_NS, Partial, merged

Row: TypeAlias = Mapping[str, int | float | None]
FRACTIONS = {"p50": 0.50, "p90": 0.90, "p99": 0.99}
_FIGURES = ("mean", "standard_deviation", "sum", "min", "max", *FRACTIONS, "newest_event_ns")


def finished(window_start_ns: int, parts: Iterable[Partial], *, written_ns: int) -> Row:
    """The window's row as of `written_ns`."""
    whole = merged(parts)
    return {
        "window_start_ns": window_start_ns,
        "window_end_ns": window_start_ns + WINDOW_NS,
        "count": whole.count,
        "late": whole.late,
        **(_figures(whole) if whole.count else dict.fromkeys(_FIGURES)),
        "written_ns": written_ns,
    }


def _figures(whole: Partial) -> Row:
    quantiles = whole.sketch.quantiles(list(FRACTIONS.values()))
    figures = {
        "mean": whole.mean,
        "standard_deviation": math.sqrt(whole.squares / whole.count),
        "sum": whole.sum,
        "min": whole.min,
        "max": whole.max,
        **{name: min(max(each, whole.min), whole.max) for name, each in zip(FRACTIONS, quantiles, strict=True)},
        "newest_event_ns": whole.newest_event_ns,
    }
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}
