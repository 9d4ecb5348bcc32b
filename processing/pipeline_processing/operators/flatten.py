"""Points of one time as one point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import ClassVar

import numpy as np

from pipeline_processing.operators.arrivals import rounded
from pipeline_processing.operators.merged_fields import MergedFields
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import duration, flag, option, string, strings
from pipeline_processing.operators.runs import forgotten
from pipeline_processing.operators.same_time_runs import SameTimeRuns, runs_of_batches
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame, Key
from pipeline_processing.points.keys import Ids, Keys, PerSeries

LACKING = 0


class Prefixes:
    """What goes before the names of each series' fields: the values of its tags.

    Computed again from the keys, so it pickles as what it is made of.
    """

    def __init__(self, on: tuple[str, ...], delimiter: str) -> None:
        self._on, self._delimiter = on, delimiter
        self._texts = [""]
        self._numbers: dict[str, int] = {}
        self._of_series: PerSeries | None = None

    def __reduce__(self) -> tuple[type[Prefixes], tuple[tuple[str, ...], str]]:
        return Prefixes, (self._on, self._delimiter)

    def of(self, series: Ids, keys: Keys) -> Ids:
        """A number for each; LACKING where a tag is."""
        if self._of_series is None:
            self._of_series = PerSeries(lambda each: self._number(dict(keys.series[each].tags)))
        return self._of_series.of(series)

    def name(self, prefix: int, field_name: str) -> str:
        text = self._texts[prefix]
        return text + self._delimiter + field_name if text and field_name else text + field_name

    def _number(self, tags: dict[str, str]) -> int:
        if any(name not in tags for name in self._on):
            return LACKING
        text = self._delimiter.join(tags[name] for name in self._on)
        if text not in self._numbers:
            self._numbers[text] = len(self._texts)
            self._texts.append(text)
        return self._numbers[text]


@dataclass(slots=True)
class Flattening:
    prefixes: Prefixes
    runs: SameTimeRuns = field(default_factory=SameTimeRuns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten:
    """One point of all that a group has of one time: each field's name begins with the values of its point's tags.

    In:    points that follow each other with one time, or such within a batch.
    State: of points, those of each group's newest time.
    Out:   on a stream, the time's point once a point of another time comes, so the last stays. In a batch at once. It has
           the tags of its group. Of several fields of one name the last point's stays, and of one point's the
           last by its own name. Points that lack a tag are dropped
           and counted; where none is left, only the last of a batch is a point, without fields.
    From:  Kapacitor's `flatten`. (There, what a point that lacks a tag had of the others leaks into the next point's
           names; here it does not.)
    """

    KIND: ClassVar[str] = "flatten"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    on: tuple[str, ...] = option("on", strings, (), "the tags whose values are put before each field's name")
    delimiter: str = option("delimiter", string, ".", "stands between those values and the name")
    tolerance_ns: int = option("tolerance", duration, 0, "times are rounded to multiples of this, halves up")
    drop_original_field_name: bool = option("dropOriginalFieldName", flag, False, "leave the field's own name away")

    def initial(self) -> Flattening:
        return Flattening(Prefixes(self.on, self.delimiter))

    def forget(self, state: Flattening, groups: Ids) -> None:
        state.runs.forget(groups)

    def step(self, state: Flattening, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data = rounded(inputs[0], self.tolerance_ns)
        if not isinstance(data, Batches):
            runs = state.runs.of_points(data, keys)
            state.runs.forget(forgotten(data))
            points, lacking = self._flat(runs, state.prefixes, keys)
            return Step(state=state, out=points.kept(_has_fields(points)), errors=self._errors(lacking))
        runs, batch = runs_of_batches(data)
        points, lacking = self._flat(runs, state.prefixes, keys)
        kept = _has_fields(points) | _is_last(batch)
        start = np.searchsorted(batch[kept], np.arange(len(data) + 1))
        out = replace(data, start=start, rows=points.kept(kept))
        return Step(state=state, out=out, errors=self._errors(lacking))

    def _flat(self, runs: Batches, prefixes: Prefixes, keys: Keys) -> tuple[Frame, int]:
        """A point a run, and how many rows lack a tag."""
        prefix = prefixes.of(runs.rows.series, keys)
        run = runs.batch_of_row()
        merged = MergedFields(len(runs))
        by_prefix = np.argsort(prefix, kind="stable")
        found, begin = np.unique(prefix[by_prefix], return_index=True)
        for each, rows in zip(found.tolist(), np.split(by_prefix, begin[1:]), strict=False):
            if each != LACKING:
                for key, column in sorted(runs.rows.fields.items(), key=itemgetter(0)):
                    merged.put_column(self._key(prefixes, each, key), run[rows], column.take(rows), rows)
        points = Frame(
            time_ns=runs.tmax_ns, series=runs.series, group=runs.group, cause=runs.cause, fields=merged.columns()
        )
        return points, int((prefix == LACKING).sum())

    def _key(self, prefixes: Prefixes, prefix: int, key: Key) -> Key:
        return prefixes.name(prefix, "" if self.drop_original_field_name else key[0]), key[1]

    def _errors(self, lacking: int) -> dict[str, int]:
        return {f"a tag of {', '.join(self.on)} is missing": lacking} if lacking else {}


def _has_fields(points: Frame) -> np.ndarray:
    found = np.zeros(len(points), dtype=bool)
    for column in points.fields.values():
        found |= column.mask()
    return found


def _is_last(batch: np.ndarray) -> np.ndarray:
    """Whether each run is the last of its batch."""
    return np.append(batch[1:] != batch[:-1], True)[: len(batch)]
