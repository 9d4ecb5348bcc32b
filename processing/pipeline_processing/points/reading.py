"""Blocks of points, parsed once and made into frames for each task that reads them.

In:      Arrow blocks, see pipeline_queue/points/block.py.
Out:     frames, with the numbers of the task's own keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pipeline_queue.points.block import Origin, as_points
from pipeline_queue.points.series_key import parts_of

from pipeline_processing.points.frame import Column, Frame, Key
from pipeline_processing.points.keys import Group, Ids, Keys, PerSeries, Series, sorted_tags


@dataclass(slots=True)
class Registry:
    """The series that this process has read, numbered for all its tasks."""

    series: list[Series] = field(default_factory=list)
    _ids: dict[tuple[str, str, bytes], int] = field(default_factory=dict)

    def ids(self, database: str, retention_policy: str, keys: Sequence[bytes]) -> Ids:
        return np.array([self._id(database, retention_policy, key) for key in keys], dtype=np.int32)

    def _id(self, database: str, retention_policy: str, key: bytes) -> int:
        found = self._ids.get((database, retention_policy, key))
        if found is None:
            found = self._ids[database, retention_policy, key] = len(self.series)
            name, tags = parts_of(key)
            self.series.append(Series(database, retention_policy, name, sorted_tags(tags)))
        return found


@dataclass(slots=True)
class TaskSeries:
    """From the process's numbers of series to one task's."""

    registry: Registry
    keys: Keys
    _known: PerSeries = field(init=False)

    def __post_init__(self) -> None:
        self._known = PerSeries(lambda each: self.keys.series_id(self.registry.series[each]))

    def of(self, series: Ids) -> Ids:
        return self._known.of(series)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedBlock:
    time_ns: np.ndarray
    series: Ids
    """The process's."""
    fields: Mapping[Key, Column]

    def __len__(self) -> int:
        return len(self.time_ns)

    def frame(self, series: TaskSeries, *, first_cause: int) -> Frame:
        """The points as the task has them, in the group `nil`."""
        return Frame(
            time_ns=self.time_ns,
            series=series.of(self.series),
            group=np.full(len(self), series.keys.group_id(Group()), dtype=np.int32),
            cause=np.arange(first_cause, first_cause + len(self)),
            fields=self.fields,
        )


def shared(origin: Origin, batch: pa.RecordBatch, registry: Registry) -> SharedBlock:
    points = as_points(batch)
    ids = registry.ids(origin.database, origin.retention_policy, points.keys)
    return SharedBlock(
        time_ns=points.time_ns,
        series=ids[points.series],
        fields={(each.name, each.type): Column(each.values, each.present) for each in points.fields},
    )
