"""Graphs that forget groups when a test says so, and keep what came out of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from frames import Plain, frame, points
from pipeline_processing.graph.forgetting import Silence
from pipeline_processing.graph.graph import Graph, Node
from pipeline_processing.graph.run import Run
from pipeline_processing.operators.operator import EITHER, Data, Edge, Operator, Step, Tick
from pipeline_processing.points.keys import Group, Keys

SPOKEN_NS, SILENT_NS = 1_000, 1


@dataclass(frozen=True, slots=True)
class Sink:
    """Keeps all that comes in, as plain dictionaries."""

    KIND: ClassVar[str] = "sink"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    def initial(self) -> list[Plain]:
        return []

    def step(self, state: list[Plain], inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        state.extend(points(inputs[0], keys))
        return Step(state=state, out=inputs[0])


def graph_of(*operators: Operator) -> Graph:
    """One after the other, and a sink; each is called by its position."""
    nodes = [
        Node(name=str(at), operator=each, parents=(str(at - 1),) if at else ())
        for at, each in enumerate((*operators, Sink()))
    ]
    return Graph(nodes=tuple(nodes))


@dataclass
class ForgetfulRun:
    graph: Graph
    run: Run = field(init=False)
    silence: Silence = field(default_factory=Silence)
    came: int = 0

    def __post_init__(self) -> None:
        self.run = Run(graph=self.graph)

    def step(self, given: Sequence[Plain], now_ns: int = 0, *, closing: bool = False) -> list[Any]:
        """Points go in; what left the graph is returned."""
        taken = frame(self.run.keys, given, self.came)
        self.came += len(given)
        return [each.item for each in self.run.step(taken, Tick(now_ns=now_ns, closing=closing))]

    def forget(self, *groups: Group) -> bool:
        """As if these groups alone had been silent; whether any was forgotten."""
        self.silence.note(self.run, SPOKEN_NS)
        self.silence.heard_ns[:] = SPOKEN_NS
        for each in groups:
            self.silence.heard_ns[self.run.keys.group_id(each)] = SILENT_NS
        before, self.run = self.run, self.silence.broken(self.run, SPOKEN_NS)
        return self.run is not before

    def out(self) -> list[Plain]:
        """All that came out so far; it is taken out of the state."""
        sink = self.graph.nodes[-1].name
        found, self.run.states[sink] = self.run.states[sink], []
        return found


def of(node: str, found: Iterable[Plain]) -> list[Plain]:
    """What of it the group of a tag `node` made."""
    return [each for each in found if dict(each["tags"]).get("node", "") == node]


def sizes(run: Run) -> int:
    """How many numbers all arrays of the states have, and how many entries the keys."""
    return len(run.keys.series) + len(run.keys.groups) + sum(_sizes(each) for each in run.states.values())


def _sizes(state: Any) -> int:
    if isinstance(state, np.ndarray):
        return state.size
    if isinstance(state, dict):
        return len(state) + sum(map(_sizes, state.values()))
    if isinstance(state, (tuple, list)):
        return len(state) + sum(map(_sizes, state))
    names = getattr(state, "__slots__", None) or getattr(state, "__dict__", ())
    return sum(_sizes(getattr(state, name)) for name in names) if not isinstance(state, str) else 0
