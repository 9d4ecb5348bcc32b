"""What the tests of alerts share: lambdas of one comparison, frames from lines, and a runner.

The lambdas stand in for real ones: `"v" > 30.0`, `"s" == 'down'`, `count() % 2 == 0`, `sigma("v") > 1.5`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pipeline_processing.alerts.event import AlertEvent
from pipeline_processing.expressions import Evaluated
from pipeline_processing.operators.alert import Alert
from pipeline_processing.operators.operator import Tick
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Column, Frame, Key, concatenated
from pipeline_processing.points.keys import Group, Ids, Keys, Series

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "==": operator.eq,
}
TICK = Tick(now_ns=0)
SECOND_NS = 1_000_000_000
START_S = 31_536_000
"""1971, when the recorded cases begin."""


@dataclass(frozen=True)
class Compares:
    """`"name" sign value`; rows without the field are errors."""

    name: str
    sign: str
    value: float | str

    def initial(self) -> None:
        return None

    def evaluate(self, frame: Frame, state: Any, tick_ns: int, keys: Keys) -> Evaluated:
        present, truth = np.zeros(len(frame), dtype=bool), np.zeros(len(frame), dtype=bool)
        for column in frame.columns_of(self.name).values():
            mask = column.mask()
            truth[mask] = COMPARISONS[self.sign](column.values[mask], self.value)
            present |= mask
        return _answer(truth, present)

    def forget(self, state: Any, groups: Ids) -> None:
        """There is nothing to forget."""


@dataclass
class Running:
    """What a stateful function has seen."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0


@dataclass(frozen=True)
class Counts:
    """`count() % of == 0`."""

    of: int

    def initial(self) -> dict[int, Running]:
        return {0: Running()}

    def evaluate(self, frame: Frame, state: dict[int, Running], tick_ns: int, keys: Keys) -> Evaluated:
        truth = np.zeros(len(frame), dtype=bool)
        for row, group in enumerate(frame.group.tolist()):
            running = state.setdefault(group, Running())
            running.count += 1
            truth[row] = running.count % self.of == 0
        return _answer(truth, np.ones(len(frame), dtype=bool))

    def forget(self, state: dict[int, Running], groups: Ids) -> None:
        _forget(state, groups)


@dataclass(frozen=True)
class Deviates:
    """`sigma("name") > above`."""

    name: str
    above: float

    def initial(self) -> dict[int, Running]:
        return {0: Running()}

    def evaluate(self, frame: Frame, state: dict[int, Running], tick_ns: int, keys: Keys) -> Evaluated:
        values, present = frame.numbers(self.name)
        truth = np.zeros(len(frame), dtype=bool)
        for row in np.flatnonzero(present).tolist():
            truth[row] = sigma(state.setdefault(int(frame.group[row]), Running()), values[row]) > self.above
        return _answer(truth, present)

    def forget(self, state: dict[int, Running], groups: Ids) -> None:
        _forget(state, groups)


def _forget(state: dict[int, Running], groups: Ids) -> None:
    for group in groups.tolist():
        state.pop(group, None)


def sigma(running: Running, value: float) -> float:
    running.count += 1
    delta = value - running.mean
    running.mean += delta / running.count
    running.squares += delta * (value - running.mean)
    if running.count < 2 or running.squares == 0.0:
        return 0.0
    return float(abs(value - running.mean) / (running.squares / (running.count - 1)) ** 0.5)


def _answer(truth: np.ndarray, present: np.ndarray) -> Evaluated:
    missing = np.flatnonzero(~present)
    return Evaluated(columns={"bool": Column(truth, present)}, lost={"missing": missing} if len(missing) else {})


def expression(text: str) -> Any:
    found = re.fullmatch(r'"(\w+)" (>|>=|<|==) (.+)', text)
    if found:
        value = found[3]
        return Compares(found[1], found[2], value[1:-1] if value.startswith("'") else float(value))
    if found := re.fullmatch(r"count\(\) % (\d+) == 0", text):
        return Counts(int(found[1]))
    if found := re.fullmatch(r'sigma\("(\w+)"\) > (.+)', text):
        return Deviates(found[1], float(found[2]))
    raise AssertionError(text)


@dataclass
class Input:
    """Points from lines such as `load,host=a v=5,n=5i,s="up" 20`, grouped by these tags; times in s from 1971."""

    by: Sequence[str] = ()
    keys: Keys = field(default_factory=Keys)

    def frame(self, *lines: str) -> Frame:
        return concatenated([self._point(line, cause) for cause, line in enumerate(lines)])

    def _point(self, line: str, cause: int) -> Frame:
        head, fields, time_s = line.rsplit(" ", 2)
        name, *pairs = head.split(",")
        tags = dict(pair.split("=") for pair in pairs)
        series = self.keys.series_id(Series("dbname", "rpname", name, tuple(sorted(tags.items()))))
        group = self.keys.group_id(Group(tuple((each, tags.get(each, "")) for each in sorted(self.by))))
        return Frame(
            time_ns=np.array([(START_S + int(time_s)) * SECOND_NS]),
            series=np.array([series], dtype=np.int32),
            group=np.array([group], dtype=np.int32),
            cause=np.array([cause]),
            fields=dict(_field(pair) for pair in re.findall(r'(\w+)=("[^"]*"|[^,]+)', fields)),
        )

    def windows(self, frame: Frame, period_s: int) -> Batches:
        """Windows that a point of the same group closes, each from the one that closed the last."""
        closed: list[tuple[int, int, int, list[int]]] = []
        held: dict[int, list[int]] = {}
        end: dict[int, int] = {}
        for row, (group, time_ns) in enumerate(zip(frame.group.tolist(), frame.time_ns.tolist(), strict=True)):
            if group in end and time_ns >= end[group]:
                closed.append((group, row, end[group], held.pop(group, [])))
            if group not in end or time_ns >= end[group]:
                end[group] = time_ns + period_s * SECOND_NS
            held.setdefault(group, []).append(row)
        groups = [each[0] for each in closed]
        rows = [row for each in closed for row in each[3]]
        return Batches(
            tmax_ns=np.array([each[2] for each in closed], dtype=np.int64),
            series=np.array([self._group_series(each, frame) for each in groups], dtype=np.int32),
            group=np.array(groups, dtype=np.int32),
            cause=np.array([each[1] for each in closed], dtype=np.int64),
            start=np.cumsum([0, *(len(each[3]) for each in closed)]),
            rows=frame.take(np.array(rows, dtype=np.int64)),
        )

    def _group_series(self, group: int, frame: Frame) -> int:
        name = self.keys.series[frame.series[0]].name
        return self.keys.series_id(Series("dbname", "rpname", name, self.keys.groups[group].tags))


def _field(pair: tuple[str, str]) -> tuple[Key, Column]:
    name, value = pair
    if value.startswith('"'):
        return (name, "string"), Column(np.array([value[1:-1]], dtype=object))
    if value in ("true", "false"):
        return (name, "bool"), Column(np.array([value == "true"]))
    if value.endswith("i"):
        return (name, "int"), Column(np.array([int(value[:-1])]))
    return (name, "float"), Column(np.array([float(value)]))


@dataclass
class Run:
    """What came of all steps."""

    events: list[AlertEvent]
    emitted: list[Any]
    out: list[Frame | Batches]
    errors: int


def run(alert: Alert, keys: Keys, *steps: Frame | Batches) -> Run:
    state = alert.initial()
    found = Run([], [], [], 0)
    for data in steps:
        step = alert.step(state, [data], TICK, keys)
        state = step.state
        found.emitted += step.emitted
        found.out.append(step.out)
        found.errors += sum(step.errors.values())
    found.events = [each for each in found.emitted if isinstance(each, AlertEvent)]
    return found


def in_pieces(data: Frame | Batches, size: int) -> list[Frame | Batches]:
    return [data.take(np.arange(at, min(at + size, len(data)))) for at in range(0, len(data), size)]
