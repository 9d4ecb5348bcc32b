"""Partial results of one-second windows: what one batch of events says about each window.

In:   decoded events as arrays: times, values, which are late, and when their record was appended.
Out:  one Partial per window that the batch touches; any number of them merge into one, in any order.
Late events are counted on the window of their append time and enter nothing else: a window that was published is then
changed by late events only in its own second, and state can be forgotten.
Numbers: sums are `math.fsum`, exact up to the last rounding, so an order changes nothing and a split changes mean and
deviation by less than 1e-9; an overflow becomes infinity instead of stopping the job.
From: Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983 (the merge of means and squares).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline_processing.sketch import Floats, Ints, Sketch

Bools: TypeAlias = npt.NDArray[np.bool_]
WINDOW_NS = 1_000_000_000
NO_EVENT_NS = -(2**63)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Events of one topic, a row each."""

    time_ns: Ints
    value: Floats
    late: Bools
    append_time_ns: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """What some events say about one window; `squares` is the sum of squared distances from the mean."""

    count: int = 0
    late: int = 0
    sum: float = 0.0
    squares: float = 0.0
    min: float = math.inf
    max: float = -math.inf
    newest_event_ns: int = NO_EVENT_NS
    sketch: Sketch = field(default_factory=Sketch)

    @property
    def mean(self) -> float:
        return self.sum / self.count if self.count else 0.0


def partials(events: Events) -> dict[int, Partial]:
    """By window start, ns."""
    on_time = ~events.late
    late = _late_counts(events.append_time_ns[events.late])
    found = dict(_by_window(events.time_ns[on_time], events.value[on_time]))
    for window_ns, count in late.items():
        found[window_ns] = merged([found.get(window_ns, Partial()), Partial(late=count)])
    return found


def merged(parts: Iterable[Partial]) -> Partial:
    """One Partial of all; the order of `parts` does not matter."""
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    count, total = sum(part.count for part in parts), _sum(part.sum for part in parts)
    mean = total / count if count else 0.0
    return Partial(
        count=count,
        late=sum(part.late for part in parts),
        sum=total,
        squares=_sum(part.squares + part.count * _square(part.mean - mean) for part in parts),
        min=min((part.min for part in parts), default=math.inf),
        max=max((part.max for part in parts), default=-math.inf),
        newest_event_ns=max((part.newest_event_ns for part in parts), default=NO_EVENT_NS),
        sketch=Sketch.merged(part.sketch for part in parts),
    )


def merged_by_window(batches: Iterable[Mapping[int, Partial]]) -> dict[int, Partial]:
    """One Partial per window over all batches."""
    parts: dict[int, list[Partial]] = defaultdict(list)
    for batch in batches:
        for window_ns, part in batch.items():
            parts[window_ns].append(part)
    return {window_ns: merged(of_window) for window_ns, of_window in parts.items()}


def _by_window(time_ns: Ints, value: Floats) -> Iterator[tuple[int, Partial]]:
    window = time_ns // WINDOW_NS
    order = np.argsort(window, kind="stable")
    windows, starts = np.unique(window[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    # Without events `ends` alone holds one more.
    for start_s, start, end in zip(windows.tolist(), starts, ends, strict=False):
        rows = order[start:end]
        yield start_s * WINDOW_NS, _of_one_window(time_ns[rows], value[rows])


def _of_one_window(time_ns: Ints, value: Floats) -> Partial:
    total = _sum(value.tolist())
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.square(value - total / len(value))
    return Partial(
        count=len(value),
        sum=total,
        squares=_sum(squares.tolist()),
        min=float(value.min()),
        max=float(value.max()),
        newest_event_ns=int(time_ns.max()),
        sketch=Sketch.of(value),
    )


def _late_counts(append_time_ns: Ints) -> dict[int, int]:
    windows, counts = np.unique(append_time_ns // WINDOW_NS, return_counts=True)
    return {start_s * WINDOW_NS: count for start_s, count in zip(windows.tolist(), counts.tolist(), strict=True)}


def _sum(numbers: Iterable[float]) -> float:
    addends = list(numbers)
    try:
        return math.fsum(addends)
    except (OverflowError, ValueError):  # beyond a double on the way, or infinities of both signs
        return sum(addends)


def _square(number: float) -> float:
    return number * number
