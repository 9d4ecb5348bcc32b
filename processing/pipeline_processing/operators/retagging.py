"""Points and batches under other tags, and in the groups that follow from these.

In:      what becomes of a series' tags, and of a group's.
Out:     the points with other series and groups; each is made once, when it is first met.
It is computed again from the keys, so it is not state, and pickles as nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pipeline_processing.operators.operator import Data
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys, PerSeries, Tags

Change = Callable[[Tags], Tags]
Count = Callable[[Tags], int]


@dataclass(slots=True)
class Retagging:
    _series: PerSeries | None = None
    _groups: PerSeries | None = None
    _counts: PerSeries | None = None

    def __reduce__(self) -> tuple[type[Retagging], tuple[()]]:
        return Retagging, ()

    def of(self, data: Data, keys: Keys, tags: Change, group_tags: Change) -> Data:
        """Always to be called with the same changes; a batch's tags, which are its group's, become what `tags` makes of them."""
        if self._series is None:
            self._series = PerSeries(lambda each: _series(keys, each, tags))
            self._groups = PerSeries(lambda each: _group(keys, each, group_tags))
        if not isinstance(data, Batches):
            return self._frame(data)
        return replace(
            data,
            series=self._series.of(data.series),
            group=self._groups.of(data.group),
            rows=self._frame(data.rows),
        )

    def count(self, data: Data, keys: Keys, count: Count) -> int:
        """The sum of the counts over all points' tags, and over batches' own; always to be called with the same count."""
        if self._counts is None:
            self._counts = PerSeries(lambda each: count(keys.series[each].tags))
        own = int(self._counts.of(data.series).sum())
        return own + int(self._counts.of(data.rows.series).sum()) if isinstance(data, Batches) else own

    def _frame(self, rows: Frame) -> Frame:
        return replace(rows, series=self._series.of(rows.series), group=self._groups.of(rows.group))


def _series(keys: Keys, series: int, change: Change) -> int:
    found = keys.series[series]
    return keys.series_id(replace(found, tags=change(found.tags)))


def _group(keys: Keys, group: int, change: Change) -> int:
    found = keys.groups[group]
    return keys.group_id(replace(found, tags=change(found.tags)))
