"""Partial results of windows: what one batch of events says about each window, and what all of them say together.

In:   decoded events as arrays.
Out:  by window, one Partial of all events that are on the topic once, and one for each repeated event. Any number of
      partials merge, in any order.

On time, late, repeated. An event on time counts in the windows that cover its time. A late one is counted in `late` of the
windows that cover its append time and enters nothing else: a window that was published is then changed by late events
only in its own time, and state can be forgotten.

A message that was sent again says so (codec.REPEATED); its events may be on the topic before. All others are there once.
So a partial says which events it holds, and an event that says `repeated` is a partial of its own, decided when all
partials of its window are at hand (`counted`): it counts unless one that is no repeat knows it, and once among its like,
on time if any of them was. For that it must meet the first one, wherever that was counted. Both meet in the windows of
the event's own time:
- there an event on time is counted anyway;
- a late event is counted elsewhere, so it leaves a partial there that knows of it and counts nothing;
- a repeated event goes there even if it is late, and is then counted there, as late.
Spark forgets windows. An event that is late by more than `remembered_ns` meets nothing any more: repeated or not, it is
counted by its append time, which it may be each time that it was sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline_processing.runs import Runs
from pipeline_processing.sketch import Floats, Ints, Sketch
from pipeline_processing.summary import Summary
from pipeline_processing.windows import Windows

Bools: TypeAlias = npt.NDArray[np.bool_]
NO_EVENT_NS = -(2**63)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Events of one topic, a row each; `producer` and `group` are places in `producers` and `groups`."""

    time_ns: Ints
    append_time_ns: Ints
    late: Bools
    repeated: Bools
    seq: Ints
    producer: Ints
    producers: Sequence[str]
    group: Ints
    groups: Sequence[str]
    values: Sequence[Floats]
    """An array for each measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """What some events say about one window; `summaries` is empty without an event on time, else one a measure."""

    count: int = 0
    late: int = 0
    newest_event_ns: int = NO_EVENT_NS
    summaries: tuple[Summary, ...] = ()
    held: Runs = field(default_factory=Runs)
    """The events that it counts, on time or late."""
    elsewhere: Runs = field(default_factory=Runs)
    """Late events of its own time that another window counts."""
    repeated: bool = False
    """Whether it is one event that was sent again."""


Window: TypeAlias = tuple[int, str]
"""Start, ns, and group."""
ByWindow: TypeAlias = Mapping[Window, list[Partial]]


def partials(events: Events, windows: Windows, *, remembered_ns: int) -> ByWindow:
    """See the module."""
    found: dict[Window, list[Partial]] = defaultdict(list)
    for (pane_ns, group), part in _by_pane(events, windows, remembered_ns):
        for start_ns in windows.starts(pane_ns):
            found[start_ns, group].append(part)
    return {window: gathered(parts) for window, parts in found.items()}


def merged_by_window(batches: Iterable[ByWindow]) -> ByWindow:
    """The same over all batches."""
    found: dict[Window, list[Partial]] = defaultdict(list)
    for batch in batches:
        for window, parts in batch.items():
            found[window] += parts
    return {window: gathered(parts) for window, parts in found.items()}


def gathered(parts: Iterable[Partial]) -> list[Partial]:
    """All that are no repeats as one, and each of the others."""
    firsts, repeats = _apart(parts)
    return ([merged(firsts)] if firsts else []) + repeats


def counted(parts: Iterable[Partial]) -> Partial:
    """All of a window as one, each repeated event in it at most once."""
    firsts, repeats = _apart(parts)
    if not repeats:
        return merged(firsts)
    known = Runs.merged(each for part in firsts for each in (part.held, part.elsewhere))
    chosen: dict[tuple[str, int], Partial] = {}
    for part in sorted(repeats, key=lambda part: part.late):
        if not known.holds(*part.held.first):
            chosen.setdefault(part.held.first, part)
    return merged([*firsts, *chosen.values()])


def merged(parts: Sequence[Partial]) -> Partial:
    """One Partial of all that they count and know; their order does not matter."""
    if len(parts) == 1:
        return parts[0]
    timely = [part for part in parts if part.count]
    counts = [part.count for part in timely]
    return Partial(
        count=sum(counts),
        late=sum(part.late for part in parts),
        newest_event_ns=max((part.newest_event_ns for part in timely), default=NO_EVENT_NS),
        summaries=tuple(
            Summary.merged(of_measure, counts) for of_measure in zip(*(part.summaries for part in timely), strict=True)
        ),
        held=Runs.merged(part.held for part in parts),
        elsewhere=Runs.merged(part.elsewhere for part in parts),
    )


def _apart(parts: Iterable[Partial]) -> tuple[list[Partial], list[Partial]]:
    apart: tuple[list[Partial], list[Partial]] = ([], [])
    for part in parts:
        apart[part.repeated].append(part)
    return apart


_OfPane: TypeAlias = Iterator[tuple[Window, Partial]]


def _by_pane(events: Events, windows: Windows, remembered_ns: int) -> _OfPane:
    """The partials of each pane, which is a window as long as the step; there may be several of one pane."""
    forgotten = events.late & (events.append_time_ns - events.time_ns > remembered_ns)
    home, taken = (each // windows.step_ns * windows.step_ns for each in (events.time_ns, events.append_time_ns))
    repeated = events.repeated & ~forgotten
    late = events.late & ~repeated
    for window, rows in _split(home, events, np.flatnonzero(~events.late & ~repeated)):
        yield window, _timely(events, rows, windows)
    for window, rows in _split(taken, events, np.flatnonzero(late)):
        yield window, Partial(late=len(rows), held=_runs(events, rows))
    for window, rows in _split(home, events, np.flatnonzero(late & ~forgotten)):
        yield window, Partial(elsewhere=_runs(events, rows))
    for row in np.flatnonzero(repeated):
        yield (int(home[row]), events.groups[events.group[row]]), _repeated(events, np.array([row]), windows)


def _split(pane_ns: Ints, events: Events, rows: Ints) -> Iterator[tuple[Window, Ints]]:
    """These rows, apart by pane and group."""
    order = rows[np.lexsort((events.group[rows], pane_ns[rows]))]
    pane_ns, group = pane_ns[order], events.group[order]
    begins = np.flatnonzero((np.diff(pane_ns) != 0) | (np.diff(group) != 0)) + 1
    for first, of_window in zip([0, *begins.tolist()], np.split(order, begins), strict=True):
        if len(of_window):
            yield (int(pane_ns[first]), events.groups[group[first]]), of_window


def _timely(events: Events, rows: Ints, windows: Windows) -> Partial:
    return Partial(
        count=len(rows),
        newest_event_ns=int(events.time_ns[rows].max()),
        summaries=tuple(
            _summary(values[rows], measure.kept)
            for values, measure in zip(events.values, windows.measures, strict=True)
        ),
        held=_runs(events, rows),
    )


def _summary(values: Floats, kept: Sequence[str]) -> Summary:
    summary = Summary.of(values)
    return replace(summary, sketch=Sketch.of(values)) if "sketch" in kept else summary


def _repeated(events: Events, row: Ints, windows: Windows) -> Partial:
    if events.late[row[0]]:
        return Partial(late=1, held=_runs(events, row), repeated=True)
    return replace(_timely(events, row, windows), repeated=True)


def _runs(events: Events, rows: Ints) -> Runs:
    return Runs.of(events.producer[rows], events.seq[rows], events.producers)
