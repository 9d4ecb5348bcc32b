"""Points in other groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from pipeline_processing.operators.grouping import Grouping, too_many
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import Star, argument, flag, option, strings, tag_names
from pipeline_processing.operators.regrouped_batches import Regrouped
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import REFUSED, Group, Ids, Keys, PerSeries


class NewGroups:
    """The group of each series, by the names of tags; computed again from the keys, so it is not state."""

    def __init__(self, grouping: Grouping, keys: Keys) -> None:
        by_tags = replace(grouping, by_measurement=False)
        self._all_apart = grouping.by_measurement
        self._by_tags = PerSeries(lambda each: by_tags.group_id(keys, each))
        self._apart = PerSeries(lambda each: int(keys.groups[each].name is not None))

    def of(self, rows: Frame, like: Ids, before: Ids, keys: Keys) -> Ids:
        """The rows' groups, REFUSED where there are too many; they are of the measurement of `like`, and were in the groups `before`.

        Measurements that were apart stay so.
        """
        group = self._by_tags.of(rows.series)
        apart = (group != REFUSED) & (self._all_apart | (self._apart.of(before) == 1))
        if not apart.any():
            return group
        pairs, which = np.unique(group[apart].astype(np.int64) << 32 | like[apart], return_inverse=True)
        named = [(keys.groups[pair >> 32].tags, keys.series[pair & 0xFFFFFFFF].name) for pair in pairs.tolist()]
        group = group.copy()
        group[apart] = np.array([keys.group_id_within(Group(*each)) for each in named], dtype=np.int32)[which]
        return group


@dataclass(slots=True)
class Regrouping:
    batches: Regrouped = field(default_factory=Regrouped)
    groups: NewGroups | None = None

    def __getstate__(self) -> Regrouped:
        return self.batches

    def __setstate__(self, batches: Regrouped) -> None:
        self.batches, self.groups = batches, None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupBy:
    """The same points, grouped by the values of these tags; a tag that a point lacks is ''.

    In:    points, or batches.
    State: of batches, the points of those with the newest batch's end.
    Out:   points at once. Batches of a time once one of another time comes, one for each group that their points make,
           in the order of each group's first point, its points sorted by time. What is held when the task ends is lost.
    From:  Kapacitor's `groupBy`.
    """

    KIND: ClassVar[str] = "groupBy"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    tags: tuple[str, ...] | Star = argument(tag_names, "the tags that points are grouped by, or *")
    exclude: Collection[str] = option("exclude", strings, (), "tags that points are not grouped by")
    by_measurement: bool = option("byMeasurement", flag, False, "points of each measurement are a group of their own")

    def initial(self) -> Regrouping:
        return Regrouping()

    def keeps(self, state: Regrouping) -> Ids:
        """The groups of which something waits."""
        store = state.batches.store
        return store.group[store.slots()]

    def step(self, state: Regrouping, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data = inputs[0]
        if state.groups is None:
            grouping = Grouping(by=self.tags, exclude=self.exclude, by_measurement=self.by_measurement)
            state.groups = NewGroups(grouping, keys)
        if not isinstance(data, Batches):
            group = state.groups.of(data, data.series, data.group, keys)
            taken = group != REFUSED
            return Step(state=state, out=replace(data.kept(taken), group=group[taken]), errors=_refused(taken, keys))
        batch = data.batch_of_row()
        like = data.series[batch]
        group = state.groups.of(data.rows, like, data.group[batch], keys)
        taken = group != REFUSED
        kept = data.kept_rows(taken)
        out = state.batches.step(kept.with_rows(replace(kept.rows, group=group[taken])), keys)
        return Step(state=state, out=out, errors=_refused(taken, keys))


def _refused(taken: np.ndarray, keys: Keys) -> dict[str, int]:
    return {} if taken.all() else {too_many(keys): int((~taken).sum())}
