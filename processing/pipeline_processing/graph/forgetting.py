"""Groups that have been silent for long are forgotten, and the numbers of what nothing refers to are given to others.

In:      a run between two steps, and the time that it is.
Out:     the run as it would be if it had never met those groups, or the same run where there is too little to forget.
Nothing comes of it: what an operator holds of a group that is forgotten never comes out. Who owes something of a group, such as
an alert its recovery, `keeps` it, in all operators. Everything else of the run is as it was: keys and states are copies, so
that whoever still has the old keys reads the old names, and what was computed from the keys is computed again.
"""

from __future__ import annotations

import dataclasses
import pickle
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline_processing.graph.run import Run
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Ids
from pipeline_processing.points.store import grown

SHARE = 16
"""Forgetting costs what the task holds, as a snapshot does: it waits until a part of the groups as large as this is silent."""
SERIES_MIN, SERIES_GROWTH = 10_000, 2
"""Series that nothing refers to are forgotten when there are so many series, and so many times as many as are in use."""


@dataclass(slots=True)
class Silence:
    """When each group last had a point, by the clock; it is a part of a task's state."""

    heard_ns: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    series_left: int = 0

    def note(self, run: Run, now_ns: int) -> None:
        """Groups had a point now if any node did since the last note; those that are new did, too."""
        self.heard_ns = grown(self.heard_ns, len(run.keys.groups), now_ns)
        for each in run.counters.values():
            self.heard_ns[each.newly_seen()] = now_ns

    def broken(self, run: Run, before_ns: int) -> Run:
        """The run without groups that were not heard of since then."""
        silent = self._silent(run, before_ns)
        are_few = len(silent) == 0 or len(silent) * SHARE < run.keys.group_count
        if are_few and not self._has_idle_series(run):
            return run
        keys, states = pickle.loads(pickle.dumps((run.keys, run.states), protocol=5))
        for node in run.graph.nodes:
            if hasattr(node.operator, "forget"):
                node.operator.forget(states[node.name], silent)
            run.counters[node.name].forget(silent)
        keys.release(silent, _series_in(states))
        self.series_left = keys.series_count
        return Run(graph=run.graph, keys=keys, states=states, counters=run.counters, news=run.news)

    def _has_idle_series(self, run: Run) -> bool:
        """Whether at least as many are unused as are used. They are counted when there are twice as many as the last time."""
        if run.keys.series_count >= SERIES_GROWTH * max(SERIES_MIN, self.series_left):
            self.series_left = len(_series_in(run.states))
        return run.keys.series_count >= SERIES_GROWTH * max(SERIES_MIN, self.series_left)

    def _silent(self, run: Run, before_ns: int) -> Ids:
        known = run.keys.known_groups()
        silent = known[self.heard_ns[known] < before_ns]
        for node in run.graph.nodes:
            if len(silent) and hasattr(node.operator, "keeps"):
                silent = np.setdiff1d(silent, node.operator.keeps(run.states[node.name]))
        return silent


def _series_in(states: Any) -> Ids:
    """The series that the states refer to."""
    found = [np.empty(0, dtype=np.int32), *_held(states)]
    series = np.unique(np.concatenate(found))
    return series[series >= 0]


def _held(state: Any) -> Iterator[Ids]:
    if hasattr(state, "held_series"):
        yield state.held_series()
    elif isinstance(state, Frame):
        yield state.series
    elif isinstance(state, Batches):
        yield from (state.series, state.rows.series)
    elif dataclasses.is_dataclass(state):
        for each in dataclasses.fields(state):
            yield from _held(getattr(state, each.name))
    elif isinstance(state, dict):
        for each in state.values():
            yield from _held(each)
    elif isinstance(state, (tuple, list, deque)):
        for each in state:
            yield from _held(each)
