"""Which group a series belongs to, by the names of tags."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pipeline_processing.operators.options import STAR, Star
from pipeline_processing.points.keys import Group, Keys, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """`by` names tags; one that a series lacks is '' in its group. `*` stands for all that it has, but for `exclude`."""

    by: tuple[str, ...] | Star
    exclude: Collection[str] = ()
    by_measurement: bool = False

    def group_of(self, series: Series) -> Group:
        tags = dict(series.tags)
        names = tags if self.by is STAR else dict.fromkeys(self.by)
        chosen = sorted(name for name in names if name not in self.exclude)
        name = series.name if self.by_measurement else None
        found = tuple((each, tags.get(each, "")) for each in chosen)
        return Group(tags=series.tags if found == series.tags else found, name=name)

    def group_id(self, keys: Keys, series: int) -> int:
        """REFUSED where there are as many as there may be."""
        return keys.group_id_within(self.group_of(keys.series[series]))


def too_many(keys: Keys) -> str:
    """Why points of new groups are dropped."""
    return (
        f"the point is of a new group, and the task has {keys.groups_max:,} groups, as many as TASKS_GROUPS_MAX allows"
    )
