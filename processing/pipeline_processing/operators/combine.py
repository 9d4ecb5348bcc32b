"""Points of one time, put together in every way that fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from pipeline_processing.expressions import Expression
from pipeline_processing.operators.arrivals import rounded
from pipeline_processing.operators.combinations import chosen_rows
from pipeline_processing.operators.merged_fields import MergedFields
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import argument, duration, expressions, integer, option, string, strings
from pipeline_processing.operators.prefixes import check_prefixes
from pipeline_processing.operators.runs import forgotten
from pipeline_processing.operators.same_time_runs import SameTimeRuns, runs_of_batches
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame, empty_frame
from pipeline_processing.points.keys import Ids, Keys, Series, sorted_tags

COMBINATIONS_MAX = 1_000_000


@dataclass(slots=True)
class Combining:
    expressions: list[Any]
    runs: SameTimeRuns = field(default_factory=SameTimeRuns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Combine:
    """A point for each set of a group's points of one time of which one fits each lambda.

    In:      points that follow each other with one time, or such within a batch.
    State:   of points, those of each group's newest time; and the lambdas'.
    Out:     points, the sets in the order of their points; each lambda takes the first of the set that fits and is left.
             Names of fields, and of tags that are not the group's, begin with the lambda's. On a stream they come once a
             point of another time does, so the last stays; of a batch at once. Where there are too many sets, none
             is made, and the points are counted.
    Refuses: names that are not one a lambda, are the same, empty, or have the delimiter in them.
    From:    Kapacitor's `combine`. (There, too many sets end the task.)
    """

    KIND: ClassVar[str] = "combine"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = "stream"

    expressions: tuple[Expression, ...] = argument(expressions, "what must be true of each point of a set")
    as_: tuple[str, ...] = option("as", strings, (), "the names of the lambdas")
    delimiter: str = option("delimiter", string, ".", "stands between a lambda's name and a field's or tag's")
    tolerance_ns: int = option("tolerance", duration, 0, "times are rounded to multiples of this, halves up")
    max: int = option("max", integer, COMBINATIONS_MAX, "the number of sets of one time that is too many, less one")

    def __post_init__(self) -> None:
        check_prefixes(self.as_, self.delimiter, wanted=len(self.expressions), what="lambda")
        if self.delimiter == "":
            raise ValueError("combine needs a delimiter")

    def initial(self) -> Combining:
        return Combining(expressions=[each.initial() for each in self.expressions])

    def step(self, state: Combining, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data = rounded(inputs[0], self.tolerance_ns)
        runs = runs_of_batches(data)[0] if isinstance(data, Batches) else state.runs.of_points(data, keys)
        fits, errors = self._fits(runs.rows, state.expressions, tick, keys) if len(runs) else (None, {})
        self.forget(state, forgotten(data))
        if fits is None:
            return Step(state=state, out=empty_frame())
        rows, run, refused = chosen_rows(fits, runs.start, self.max)
        if refused:
            errors[f"more than {self.max} combinations of points of one time"] = int(refused)
        return Step(state=state, out=self._points(runs, rows, run, keys), errors=errors)

    def forget(self, state: Combining, groups: Ids) -> None:
        state.runs.forget(groups)
        for each, known in zip(self.expressions, state.expressions, strict=True):
            each.forget(known, groups)

    def _fits(self, rows: Frame, states: list[Any], tick: Tick, keys: Keys) -> tuple[np.ndarray, dict[str, int]]:
        """Whether each lambda (by row) is true of each point (by column)."""
        found, errors = [], dict[str, int]()
        for each, state in zip(self.expressions, states, strict=True):
            evaluated = each.evaluate(rows, state, tick.now_ns, keys)
            found.append(evaluated.truths(len(rows)))
            for reason, count in evaluated.errors.items():
                errors[reason] = errors.get(reason, 0) + count
        return np.array(found), errors

    def _points(self, runs: Batches, rows: np.ndarray, run: np.ndarray, keys: Keys) -> Frame:
        """One point for each row of `rows`, which has a row of the runs for each lambda."""
        merged = MergedFields(len(rows))
        at = np.arange(len(rows))
        for name, of_name in zip(self.as_, rows.T, strict=True):
            for (field_name, type_), column in runs.rows.take(of_name).fields.items():
                merged.put_column((name + self.delimiter + field_name, type_), at, column)
        return Frame(
            time_ns=runs.tmax_ns[run],
            series=self._series(runs.series[run], runs.rows.series[rows], keys),
            group=runs.group[run],
            cause=runs.cause[run],
            fields=merged.columns(),
        )

    def _series(self, like: Ids, chosen: np.ndarray, keys: Keys) -> Ids:
        """Of the measurement of `like`, whose tags are the group's; with the tags of all chosen series of a row."""
        if len(like) == 0:
            return like
        several, which = np.unique(np.column_stack((like, chosen)), axis=0, return_inverse=True)
        made = [self._merged_series(keys, each[0], each[1:]) for each in several.tolist()]
        return np.array(made, dtype=np.int32)[which.reshape(-1)]

    def _merged_series(self, keys: Keys, like: int, chosen: Sequence[int]) -> int:
        shape = keys.series[like]
        dimensions = dict(shape.tags)
        tags = [
            (name if name in dimensions else prefix + self.delimiter + name, value)
            for prefix, each in zip(self.as_, chosen, strict=True)
            for name, value in keys.series[each].tags
        ]
        return keys.series_id(Series(shape.database, shape.retention_policy, shape.name, sorted_tags(tags)))
