"""One task: a graph, its states, and how far it has come."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline_processing.alerts.event import AlertEvent
from pipeline_processing.alerts.inhibiting import HeldBack, Inhibitors
from pipeline_processing.engine.limits import Limits
from pipeline_processing.engine.portion import Portion
from pipeline_processing.engine.snapshots import Snapshot
from pipeline_processing.engine.source import Place
from pipeline_processing.graph.forgetting import Silence
from pipeline_processing.graph.graph import Graph
from pipeline_processing.graph.run import Answers, Counters, Left, Run
from pipeline_processing.operators.alert import COUNTED, Alert
from pipeline_processing.operators.operator import Tick
from pipeline_processing.points.frame import Frame, concatenated
from pipeline_processing.points.heard import Heard
from pipeline_processing.points.reading import Mapping as SeriesMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a step has beside points and the time: answers, and what other tasks' alerts hold back, None if that has not changed."""

    answers: Answers = field(default_factory=dict)
    inhibited: frozenset[HeldBack] | None = None


NOTHING = Outside()
GAP_BITS = 32


@dataclass(slots=True, kw_only=True)
class Task:
    id: str
    dbrps: tuple[tuple[str, str], ...]
    """The databases and retention policies whose points enter it."""
    graph: Graph
    asks_time: bool = False
    """Whether an expression of it asks what time it is."""
    run: Run = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while a step changes the states."""
    steps: int = 0
    rows: int = 0
    """The number of the next point: how many were taken in since its beginning, but for gaps."""
    heard: Heard = field(default_factory=Heard)
    limits: Limits = field(default_factory=Limits)
    _silence: Silence = field(default_factory=Silence)
    inhibitors: Inhibitors = field(default_factory=Inhibitors)
    _series: SeriesMapping = field(init=False)

    def __post_init__(self) -> None:
        self._runs(Run(graph=self.graph))

    def limit(self, limits: Limits) -> None:
        self.limits = limits
        self.run.keys.groups_max = limits.groups_max

    def _runs(self, run: Run) -> None:
        self.run = run
        self.run.keys.groups_max = self.limits.groups_max
        self._series = SeriesMapping()

    def forget_silent(self, now_ns: int) -> None:
        """Groups without points for as long as the limits say. What comes of it must be in a snapshot before the next step."""
        if self.limits.forget_after_s is None:
            return
        run = self._silence.broken(self.run, now_ns - round(self.limits.forget_after_s * 1e9))
        if run is not self.run:
            with self.lock:
                self._runs(run)

    def number_from(self, positions: Iterable[int]) -> None:
        """Points were gone before they were read here; an earlier life may have read them, and named alerts by their numbers.

        Those that come get numbers that it has given to none: they begin where the queue goes on, times more than a life reads.
        """
        self.rows = max(self.rows, sum(positions) << GAP_BITS)

    def note_groups(self, now_ns: int) -> None:
        """Those that had points lately."""
        self._silence.note(self.run, now_ns)

    @property
    def needs_journal(self) -> bool:
        """Whether the clock, answers from outside, or where steps end, have a say in what comes out."""
        operators = [each.operator for each in self.graph.nodes]
        exact = any(getattr(each, "EXACT_STEPS", False) or getattr(each, "awaits_answers", False) for each in operators)
        return exact or self.asks_time or self.heeds_others or self.run.due_ns() is not None

    @property
    def heeds_others(self) -> bool:
        """Whether alerts of other tasks may hold back its own."""
        return any(isinstance(each.operator, Alert) and each.operator.category for each in self.graph.nodes)

    def step(self, portions: Sequence[Portion], tick: Tick, outside: Outside = NOTHING) -> list[Left]:
        """What leaves the task for these points and what came from outside; raises NodeFailed."""
        with self.lock:
            left = self.run.step(self._frame(portions), tick, outside.answers)
            self.steps += 1
            if outside.inhibited is not None:
                self.inhibitors.others = outside.inhibited
            told, held = self.inhibitors.told(left, [each.name for each in self.graph.nodes])
            for each in held:
                _count_held_back(self.run.counters[each.node], each.item)
        return told

    def restore(self, snapshot: Snapshot) -> None:
        self._silence = snapshot.silence
        self._runs(Run(graph=self.graph, keys=snapshot.keys, states=snapshot.states))
        self.steps, self.rows, self.heard = snapshot.steps, snapshot.rows, snapshot.heard
        self.inhibitors = snapshot.inhibitors

    def snapshot(self, positions: Mapping[Place, int], outlets: Any, *, version: int) -> Snapshot:
        return Snapshot(
            version=version,
            steps=self.steps,
            rows=self.rows,
            positions=dict(positions),
            heard=self.heard,
            keys=self.run.keys,
            states=self.run.states,
            silence=self._silence,
            outlets=outlets,
            inhibitors=self.inhibitors,
        )

    def _frame(self, portions: Sequence[Portion]) -> Frame:
        frames = []
        for portion in portions:
            if portion.dbrp not in self.dbrps:
                continue
            rows = self.heard.new_rows(portion.block.sent, len(portion))
            if rows is None or len(rows):
                frames.append(portion.block.frame(self._series, self.run.keys, first_cause=self.rows, rows=rows))
                self.rows += len(portion)
        return concatenated(frames)


def _count_held_back(counters: Counters, event: AlertEvent) -> None:
    """The operator has counted it as told."""
    counters.own["alerts_inhibited"] += 1
    counters.own["alerts_triggered"] -= 1
    counters.own[f"{COUNTED[event.level]}s_triggered"] -= 1
