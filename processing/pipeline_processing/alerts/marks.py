"""What alerts write on the points that they pass on.

In:   the points or batches that made an event, and the events.
Out:  the same with the level, id, message and duration as tags and fields, where asked for. Groups stay what they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline_processing.alerts.event import AlertEvent
from pipeline_processing.alerts.levels import LEVELS
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Column, Frame
from pipeline_processing.points.keys import Keys, sorted_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The tags and fields that points are given; '' is none."""

    level_tag: str = ""
    id_tag: str = ""
    level_field: str = ""
    message_field: str = ""
    id_field: str = ""
    duration_field: str = ""

    def marked(self, data: Frame | Batches, events: Sequence[AlertEvent], keys: Keys) -> Frame | Batches:
        """The points or batches, of which each made the event at its position."""
        if isinstance(data, Frame):
            positions = np.arange(len(events))
            return self._tagged(self._with_fields(data, positions, events), positions, events, keys)
        positions = data.batch_of_row()
        rows = self._tagged(self._with_fields(data.rows, positions, events), positions, events, keys)
        series = self._series(data.series, np.arange(len(events)), events, keys)
        return replace(data, rows=rows, series=series)

    def _with_fields(self, rows: Frame, positions: np.ndarray, events: Sequence[AlertEvent]) -> Frame:
        texts: Mapping[str, Sequence[str]] = {
            self.level_field: [LEVELS[each.level] for each in events],
            self.message_field: [each.message for each in events],
            self.id_field: [each.id for each in events],
        }
        for name, values in texts.items():
            if name:
                rows = rows.replaced(name, {"string": Column(np.array(values, dtype=object)[positions])})
        if self.duration_field:
            durations = np.array([each.duration_ns for each in events], dtype=np.int64)
            rows = rows.replaced(self.duration_field, {"int": Column(durations[positions])})
        return rows

    def _tagged(self, rows: Frame, positions: np.ndarray, events: Sequence[AlertEvent], keys: Keys) -> Frame:
        if not (self.level_tag or self.id_tag):
            return rows
        return replace(rows, series=self._series(rows.series, positions, events, keys))

    def _series(
        self, series: np.ndarray, positions: np.ndarray, events: Sequence[AlertEvent], keys: Keys
    ) -> np.ndarray:
        if not (self.level_tag or self.id_tag):
            return series
        pairs, which = np.unique(np.stack((series, positions)), axis=1, return_inverse=True)
        found = [self._one_series(int(one), events[int(at)], keys) for one, at in pairs.T]
        return np.array(found, dtype=series.dtype)[which.reshape(-1)]

    def _one_series(self, series: int, event: AlertEvent, keys: Keys) -> int:
        own = keys.series[series]
        added = ((self.level_tag, LEVELS[event.level]), (self.id_tag, event.id))
        tags = sorted_tags((*own.tags, *(pair for pair in added if pair[0])))
        return keys.series_id(replace(own, tags=tags))
