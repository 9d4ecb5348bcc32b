"""Asks the expressions of an alert, and decides the levels and events of a step.

Expressions without state are computed over all rows at once. One with state (`count()`, `sigma()`, `spread()`) changes by
being asked, and which rows it is asked depends on the levels that come of its answers: it is computed for the rows that
were likely asked, the levels are decided, and where other rows were asked than thought, all is taken back and done again
with those. Each time at least one more answer is right; runs of rows become shorter where that goes on for long.

From:  Kapacitor's determineLevel; the state of an alert's expression is one for all groups, as it is there.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from pipeline_processing.alerts.levels import EXPRESSIONS
from pipeline_processing.alerts.machine import (
    FAILED,
    FALSE,
    TRUE,
    UNKNOWN,
    Asking,
    Decided,
    Groups,
    Rules,
    Topic,
    Units,
    blank,
    decide,
)
from pipeline_processing.expressions import Expression
from pipeline_processing.operators.operator import Tick
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys

TRIES_MAX = 6
ROWS_SURE = 8
"""So few rows are tried until they are right, which takes at most one try for each time an expression is asked."""
NO_VALUE = "no value"
Reasons: TypeAlias = Mapping[str, np.ndarray]
"""Rows that an expression has no answer for, by reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a step has to decide. `expressions` and `states` are by position, as levels.EXPRESSIONS names them."""

    expressions: Sequence[Expression | None]
    states: list[Any]
    rows: Frame
    units: Units
    rules: Rules
    groups: Groups
    topic: Topic
    tick: Tick
    keys: Keys

    def part(self, first: int, last: int) -> Case:
        """The units from `first` to before `last`."""
        if first == 0 and last == len(self.units.group):
            return self
        start = self.units.start[first : last + 1]
        rows = slice(int(start[0]), int(start[-1]))
        units = Units(
            group=self.units.group[first:last],
            alert=self.units.alert[first:last],
            end_ns=self.units.end_ns[first:last],
            start=start - start[0],
            row_ns=self.units.row_ns[rows],
        )
        return replace(self, units=units, rows=self.rows.take(np.arange(rows.start, rows.stop)))


@dataclass(slots=True)
class Failures:
    """How often an expression failed, by reason."""

    found: dict[str, int]

    def add(self, name: str, count: int, by_reason: Mapping[str, int]) -> None:
        """`count` of them, of which some have a reason."""
        for why, times in {**by_reason, NO_VALUE: count - sum(by_reason.values())}.items():
            if times:
                reason = f"{name}: {why}"
                self.found[reason] = self.found.get(reason, 0) + times


def has_state(expression: Expression | None) -> bool:
    """Whether being asked changes it."""
    if expression is None:
        return False
    state = expression.initial()
    return state is not None and state not in ((), [], {})


def judged(case: Case, failures: Failures) -> Decided:
    """What is decided of each unit; `Failures` is added to."""
    stateful = [has_state(each) for each in case.expressions]
    parts: list[Decided] = []
    first, size = 0, len(case.units.group)
    while first < len(case.units.group):
        last = min(first + size, len(case.units.group))
        decided = _decided(case.part(first, last), stateful, failures)
        if decided is None:
            size = max(1, (last - first) // 2)
            continue
        parts.append(decided._replace(row=decided.row + case.units.start[first]))
        first, size = last, size * 2
    return parts[0] if len(parts) == 1 else _joined(parts)


def _joined(parts: Sequence[Decided]) -> Decided:
    """One after the other; `asked` and `failures` are done with by now."""
    columns = zip(*(part[:-2] for part in parts), strict=True)
    return Decided(*map(np.concatenate, columns), parts[0].asked, parts[0].failures)


def _decided(case: Case, stateful: Sequence[bool], failures: Failures) -> Decided | None:
    """None if too many tries were needed; all is as before then."""
    verdicts = np.full((6, 2, len(case.rows)), UNKNOWN, dtype=np.int8)
    reasons: list[Reasons] = [{}] * 6
    for at, expression in enumerate(case.expressions):
        if expression is not None and not stateful[at]:
            verdicts[at, 0], reasons[at] = _answers(case, expression, None, case.rows)
            verdicts[at, 1] = verdicts[at, 0]
    asked = _likely(case, stateful)
    before = _Saved.of(case) if any(stateful) else None
    for tries in range(1, 1_000_000):
        for at in np.flatnonzero(stateful):
            verdicts[at], reasons[at] = _answers_in_turn(case, int(at), asked[at])
        decided = blank(case.units)
        decide(Asking(case.units, case.rules, verdicts), case.groups, case.topic, decided)
        if before is None or (decided.asked[stateful] == asked[stateful]).all():
            for at, name in enumerate(EXPRESSIONS):
                times = np.ones_like(asked[at]) if stateful[at] else decided.asked[at]
                counts = {why: int(times[rows].sum()) for why, rows in reasons[at].items()}
                failures.add(name, int(decided.failures[at]), counts)
            return decided
        before.restore(case)
        asked = decided.asked
        if tries >= TRIES_MAX and len(case.rows) > ROWS_SURE and len(case.units.group) > 1:
            return None
    raise AssertionError("an expression's answers depend on more than what it was asked before")


def _likely(case: Case, stateful: Sequence[bool]) -> np.ndarray:
    """The highest level's expression is asked of each row, once."""
    asked = np.zeros((6, len(case.rows)), dtype=np.int8)
    for at in (2, 1, 0):
        if case.expressions[at] is not None:
            asked[at] = 1 if stateful[at] else 0
            break
    return asked


def _answers_in_turn(case: Case, at: int, asked: np.ndarray) -> tuple[np.ndarray, Reasons]:
    """What an expression with state answers when it is asked so often of each row, in order; rows have a reason as often."""
    verdicts = np.full((2, len(case.rows)), UNKNOWN, dtype=np.int8)
    expression = case.expressions[at]
    assert expression is not None
    rows = np.repeat(np.arange(len(asked)), asked)
    frame = case.rows if (asked == 1).all() else case.rows.take(rows)
    frame = replace(frame, group=np.zeros_like(frame.group))
    answers, reasons = _answers(case, expression, case.states[at], frame)
    second = np.concatenate(([False], rows[1:] == rows[:-1])) if len(rows) else np.zeros(0, dtype=bool)
    verdicts[second.astype(np.int64), rows] = answers
    return verdicts, {why: rows[lost] for why, lost in reasons.items()}


def _answers(case: Case, expression: Expression, state: Any, frame: Frame) -> tuple[np.ndarray, Reasons]:
    """One verdict a row, and why some have none."""
    found = expression.evaluate(frame, state, case.tick.now_ns, case.keys)
    verdicts = np.full(len(frame), FAILED, dtype=np.int8)
    column = found.columns.get("bool")
    if column is not None:
        verdicts[column.mask()] = FALSE
    verdicts[found.truths(len(frame))] = TRUE
    return verdicts, found.lost


@dataclass(frozen=True, slots=True)
class _Saved:
    """What a try changes, as it was before."""

    groups: np.ndarray
    of_groups: list[np.ndarray]
    alerts: np.ndarray
    of_topic: list[np.ndarray]
    states: list[Any]

    @classmethod
    def of(cls, case: Case) -> _Saved:
        groups, alerts = np.unique(case.units.group), np.unique(case.units.alert)
        return cls(
            groups=groups,
            of_groups=[each[groups].copy() for each in case.groups if each.shape[0]],
            alerts=alerts,
            of_topic=[each[alerts].copy() for each in case.topic],
            states=copy.deepcopy(case.states),
        )

    def restore(self, case: Case) -> None:
        kept = [each for each in case.groups if each.shape[0]]
        for array, was in zip(kept, self.of_groups, strict=True):
            array[self.groups] = was
        for array, was in zip(case.topic, self.of_topic, strict=True):
            array[self.alerts] = was
        case.states[:] = copy.deepcopy(self.states)
