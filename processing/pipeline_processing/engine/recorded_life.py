"""A life whose clock is the points' own time, so that a replay says the same however fast it comes, and in whatever blocks.

The time is the latest that a point has had so far. What the clock causes comes before the first point that is as late; where
that depends on points, or an expression asks for the time, points of one time make one step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline_processing.engine.life import ROWS_PER_STEP, WAIT_S_MAX, Life
from pipeline_processing.engine.outlets import Outlets
from pipeline_processing.engine.portion import Portion
from pipeline_processing.engine.source import DirectSource
from pipeline_processing.engine.task import Task
from pipeline_processing.operators.operator import Tick, is_clocked
from pipeline_processing.points.frame import Column

TICKS_PER_GAP_MAX = 10_000
"""What is due more often than this between two points is told once more, then goes on after the gap: one wrong time must not
stop a replay for hours."""
NEVER_NS = np.iinfo(np.int64).min


class RecordedLife(Life):
    def __init__(self, task: Task, source: DirectSource, outlets: Outlets, *others: Any) -> None:
        super().__init__(task, source, outlets, *others, now_ns=lambda: max(self._time_ns, 0))
        self.source: DirectSource = source
        self._time_ns = NEVER_NS
        clocked = [node.operator for node in task.graph.nodes if is_clocked(node.operator)]
        self._is_clocked = bool(clocked)
        self._by_time = task.asks_time or not all(getattr(each, "STEADY", False) for each in clocked)
        self._waiting: list[Portion] = []

    def _live(self) -> None:
        try:
            super()._live()
        finally:
            self.source.close()  # whoever feeds a task that has stopped must not wait

    def _next(self) -> None:
        for portion in self.source.read(rows=ROWS_PER_STEP, wait_s=WAIT_S_MAX):
            if len(portion) and portion.dbrp in self.task.dbrps:
                self._go_through(portion)
        self._flush()
        self._count()

    def _go_through(self, portion: Portion) -> None:
        if self._time_ns == NEVER_NS:
            self._time_ns = int(portion.block.time_ns[0])
            self._take([], Tick(now_ns=self._time_ns))  # clocks begin with the first point, however many come with it
        times = np.maximum(np.maximum.accumulate(portion.block.time_ns), self._time_ns)
        begin = 0
        while begin < len(portion):
            self._tick_until(int(times[begin]))
            end = self._end(times, begin)
            self._waiting.append(_cut(portion, begin, end))
            self._time_ns = int(times[end - 1])
            begin = end

    def _end(self, times: np.ndarray, begin: int) -> int:
        """Up to which row nothing else is due."""
        if self._by_time:
            return int(np.searchsorted(times, times[begin], side="right"))
        due_ns = self._due_ns()
        return len(times) if due_ns is None else max(begin + 1, int(np.searchsorted(times, due_ns, side="left")))

    def _tick_until(self, time_ns: int) -> None:
        if self._by_time and time_ns > self._time_ns:
            self._flush()
        due_ns, ticks = self._due_ns(), 0
        while due_ns is not None and due_ns <= time_ns:
            self._flush()
            ticks += 1
            self._time_ns = max(self._time_ns, due_ns if ticks < TICKS_PER_GAP_MAX else time_ns)
            self._take([], Tick(now_ns=self._time_ns))
            before, due_ns = due_ns, self._due_ns()
            if due_ns is not None and due_ns <= before:
                return

    def _due_ns(self) -> int | None:
        return self.task.run.due_ns() if self._is_clocked else None

    def _flush(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._take(waiting, Tick(now_ns=self._time_ns))


def _cut(portion: Portion, begin: int, end: int) -> Portion:
    if end - begin == len(portion):
        return portion
    rows, block = slice(begin, end), portion.block
    fields = {key: _rows(column, rows) for key, column in block.fields.items()}
    return replace(
        portion,
        block=replace(
            block,
            time_ns=block.time_ns[rows],
            series=block.series[rows],
            fields={key: each for key, each in fields.items() if each.present is None or each.present.any()},
        ),
    )


def _rows(column: Column, rows: slice) -> Column:
    return Column(column.values[rows], None if column.present is None else column.present[rows])
