"""Rates of change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numba import njit

from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import argument, duration, flag, option, string
from pipeline_processing.operators.runs import Runs, forgotten, with_rows_of
from pipeline_processing.points.frame import Column
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import grown, reset

SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class Previous:
    """The last value and time of each group; `has` is false before its first."""

    value: np.ndarray = field(default_factory=lambda: np.empty(0))
    time_ns: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    has: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=bool))

    def forget(self, groups: Ids) -> None:
        reset(self.has, groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivative:
    """By how much a field changes, per unit of time, from each point of a group to the next.

    In:    points in arrival order, or batches, each of which begins anew.
    State: one value and time a group.
    Out:   the points, with the rate (float64) as a field. The first of a group makes none, and is the first of the next;
           so is one with a rate that is not to be negative, and one of the same time as the one before it, which is
           counted. Points without a number in the field are dropped and counted, and change nothing.
    From:  Kapacitor's `derivative`.
    """

    KIND: ClassVar[str] = "derivative"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    of: str = argument(string, "the field")
    as_: str = option("as", string, "", "the name of the rate; the field's own if unset")
    unit_ns: int = option("unit", duration, SECOND_NS, "the time that rates are of; 1s if unset")
    non_negative: bool = option("nonNegative", flag, False, "drop negative rates")

    def initial(self) -> Previous:
        return Previous()

    def forget(self, state: Previous, groups: Ids) -> None:
        state.forget(groups)

    def step(self, state: Previous, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        runs = Runs.of(inputs[0], keys)
        value, present = runs.rows.numbers(self.of)
        before = Previous() if runs.fresh else state
        before.value, before.time_ns, before.has = (
            grown(each, runs.count) for each in (before.value, before.time_ns, before.has)
        )
        rate, kept, still = _rates(
            (runs.run, runs.rows.time_ns, value, present),
            (before.value, before.time_ns, before.has),
            self.unit_ns,
            self.non_negative,
        )
        name = self.as_ or self.of
        out = with_rows_of(inputs[0], kept, lambda rows: rows.replaced(name, {"float": Column(rate[kept])}))
        state.forget(forgotten(inputs[0]))
        errors = {
            f'field "{self.of}" is missing or no number': len(value) - int(present.sum()),
            "no time has passed since the point before": still,
        }
        return Step(state=state, out=out, errors={reason: count for reason, count in errors.items() if count})


@njit(cache=True, nogil=True, error_model="numpy")
def _rates(rows, before, unit_ns, non_negative):
    """Each row's rate, whether it has one that is wanted, and how many have none for want of time."""
    run, time_ns, value, present = rows
    last, last_ns, has = before
    rate = np.empty(len(run))
    kept = np.zeros(len(run), dtype=np.bool_)
    still = 0
    for i in range(len(run)):
        if not present[i]:
            continue
        group = run[i]
        if has[group]:
            rise = value[i] - last[group]
            if time_ns[i] == last_ns[group]:
                still += 1
            elif not (non_negative and rise < 0.0):
                rate[i] = rise / ((time_ns[i] - last_ns[group]) / unit_ns)
                kept[i] = True
        last[group], last_ns[group], has[group] = value[i], time_ns[i], True
    return rate, kept, still
