"""A graph's run: its states, and one step after the other.

In:      frames of points, ticks, and answers from outside.
Out:     what leaves the task, each with the node that said it.
Refuses: nothing; an operator that raises ends the run (NodeFailed), as its state is of no use any more.
A step's borders mean nothing: the same points in other portions come out as the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from pipeline_processing.graph.graph import Graph, Node
from pipeline_processing.operators.operator import Data, Tick, is_clocked
from pipeline_processing.points.batches import Batches, no_batches
from pipeline_processing.points.frame import Frame, empty_frame
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import grown, reset

SEEN, SEEN_LATELY = 1, 2
Answers: TypeAlias = Mapping[str, tuple[int, ...]]
"""By node, what its oldest requests were answered that had no answer yet, in their order."""
NO_ANSWERS: Answers = MappingProxyType({})
REASONS_MAX = 100
EMPTY: Mapping[str, Data] = {"stream": empty_frame(), "batch": no_batches()}


class NodeFailed(Exception):
    """An operator broke: bad code, not bad data."""

    def __init__(self, node: Node, cause: Exception) -> None:
        place = f"{node.place}: " if node.place else ""
        super().__init__(f"{place}{node.name}: {type(cause).__name__}: {cause}")
        self.node = node.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What left the task, and at which node."""

    node: str
    item: Any


@dataclass(slots=True)
class Counters:
    """Of one node, since the run began."""

    collected: int = 0
    emitted: int = 0
    errors: int = 0
    steps: int = 0
    busy_ns: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Points dropped, by reason."""
    own: dict[str, int] = field(default_factory=dict)
    """What the operator counts itself, as it names it."""
    _seen: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int8))

    def saw(self, groups: Ids, known: int) -> None:
        self._seen = grown(self._seen, known)
        self._seen[groups] = SEEN_LATELY

    def newly_seen(self) -> Ids:
        """The groups that came in since this was last asked."""
        found = np.flatnonzero(self._seen == SEEN_LATELY)
        self._seen[found] = SEEN
        return found

    def forget(self, groups: Ids) -> None:
        reset(self._seen, groups)

    @property
    def groups(self) -> int:
        """How many different ones came in, but for those that were forgotten."""
        return int(np.count_nonzero(self._seen))


@dataclass(slots=True)
class Run:
    """The state of each node, by name, and the task's keys."""

    graph: Graph
    keys: Keys = field(default_factory=Keys)
    states: dict[str, Any] = field(default_factory=dict)
    counters: dict[str, Counters] = field(default_factory=dict)
    news: list[str] = field(default_factory=list)
    """Why points were dropped, each reason once a node: for the log; whoever writes it there empties the list."""

    def __post_init__(self) -> None:
        for node in self.graph.nodes:
            if node.name not in self.states:
                self.states[node.name] = node.operator.initial()
            own = dict.fromkeys(getattr(node.operator, "COUNTS", ()), 0)
            self.counters.setdefault(node.name, Counters(own=own))

    def step(self, points: Frame, tick: Tick, answers: Answers = NO_ANSWERS) -> list[Left]:
        """What leaves the task for these points and answers; raises NodeFailed."""
        data: dict[str, Data] = {}
        left: list[Left] = []
        for node in self.graph.nodes:
            inputs = [data[each] for each in node.parents] or [points]
            own = replace(tick, answers=answers[node.name]) if node.name in answers else tick
            if not tick.closing and not own.answers and not any(map(_holds, inputs)) and not self._is_due(node, tick):
                data[node.name] = EMPTY[self.graph.edges[node.name]]
            else:
                data[node.name] = self._at(node, inputs, own, left)
        return left

    def due_ns(self) -> int | None:
        """When a step is wanted though no point comes; None, never."""
        found = [each.operator.due_ns(self.states[each.name]) for each in self.graph.nodes if is_clocked(each.operator)]
        return min(found, default=None)

    def _is_due(self, node: Node, tick: Tick) -> bool:
        return is_clocked(node.operator) and tick.now_ns >= node.operator.due_ns(self.states[node.name])

    def _at(self, node: Node, inputs: Sequence[Data], tick: Tick, left: list[Left]) -> Data:
        began = time.perf_counter_ns()
        try:
            step = node.operator.step(self.states[node.name], inputs, tick, self.keys)
        except Exception as cause:
            raise NodeFailed(node, cause) from cause
        self.states[node.name] = step.state
        left.extend(Left(node=node.name, item=item) for item in step.emitted)
        counters = self.counters[node.name]
        counters.collected += sum(map(_points, inputs))
        counters.emitted += _points(step.out)
        counters.steps += 1
        for each in inputs:
            counters.saw(each.group, len(self.keys.groups))
        for name, count in step.counted.items():
            counters.own[name] += count
        counters.busy_ns += time.perf_counter_ns() - began
        for reason, count in step.errors.items():
            self._failed(node, counters, reason, count)
        return step.out if getattr(node.operator, "awaits_answers", False) else _followed(step.out, inputs)

    def _failed(self, node: Node, counters: Counters, reason: str, count: int) -> None:
        counters.errors += count
        if reason not in counters.reasons and len(counters.reasons) < REASONS_MAX:
            counters.reasons[reason] = 0
            if not node.quiet:
                self.news.append(f"{node.name}: {reason}")
        if reason in counters.reasons:
            counters.reasons[reason] += count


def _holds(data: Data) -> bool:
    return len(data) > 0 or data.barriers is not None


def _followed(out: Data, inputs: Sequence[Data]) -> Data:
    """What comes out, followed by the barriers that came in; several parents' are for the operator to go by."""
    if len(inputs) > 1 or inputs[0].barriers is None or out.barriers is not None:
        return out
    return replace(out, barriers=inputs[0].barriers)


def _points(data: Data) -> int:
    return len(data.rows) if isinstance(data, Batches) else len(data)
