"""Finished windows: rows for the table, from the partial results that a window has so far.

In:   a window's start and group, and its Partials, in any order.
Out:  one row with the columns of the windows' table, or none for a window that knows only of events that are counted
      elsewhere. What a window cannot say is empty: the mean of a window that knows only late events, or a sum beyond a
      double, which stores refuse. Where windows overlap, a row says whether its window is one of the tumbling ones.
The deviation is the population's. Quantiles are the sketch's, held within the window's true minimum and maximum.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TypeAlias

from pipeline_queue.runs import as_text

from pipeline_processing.partials import Partial, Window, counted
from pipeline_processing.summary import Summary
from pipeline_processing.windows import FRACTIONS, Measure, Windows

Row: TypeAlias = Mapping[str, int | float | str | None]


def finished(window: Window, parts: Collection[Partial], windows: Windows, *, written_ns: int) -> Row | None:
    """The window's row as of `written_ns`."""
    whole = counted(parts)
    # What a repeat said before its event was met elsewhere may stand in the store, so it is replaced, if by nothing.
    if not (whole.count or whole.late or any(part.repeated for part in parts)):
        return None
    start_ns, group = window
    return {
        "window_start_ns": start_ns,
        "window_end_ns": start_ns + windows.length_ns,
        **({windows.group: group} if windows.group else {}),
        **({"tumbling": windows.is_tumbling(start_ns)} if windows.overlap else {}),
        "count": whole.count,
        "late": whole.late,
        "ids": as_text(whole.held.by_producer),
        **(_figures(whole, windows) if whole.count else dict.fromkeys(windows.figures)),
        "newest_event_ns": whole.newest_event_ns if whole.count else None,
        "written_ns": written_ns,
    }


def _figures(whole: Partial, windows: Windows) -> Row:
    found = {
        measure.column(name): value
        for measure, summary in zip(windows.measures, whole.summaries, strict=True)
        for name, value in _of_measure(measure, summary, whole.count).items()
    }
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def _of_measure(measure: Measure, summary: Summary, count: int) -> Mapping[str, float]:
    wanted = [name for name in measure.figures if name in FRACTIONS]
    quantiles = summary.sketch.quantiles([FRACTIONS[name] for name in wanted])
    found = {
        "mean": summary.sum / count,
        "standard_deviation": math.sqrt(summary.squares / count),
        "sum": summary.sum,
        "min": summary.min,
        "max": summary.max,
        **{name: min(max(each, summary.min), summary.max) for name, each in zip(wanted, quantiles, strict=True)},
    }
    return {name: found[name] for name in measure.figures}
