"""The series that batches and results of a group have: a measurement, and the group's tags.

In:   groups and series by number, as arrays.
Out:  numbers of series; each is made once, when its pair is first met.
It is computed again from the keys, so it is not state, and pickles as nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline_processing.points.keys import Ids, Keys, Series, Tags, sorted_tags
from pipeline_processing.points.store import grown

UNKNOWN = -1


class GroupSeries:
    def __init__(self) -> None:
        self._names: dict[tuple[str, str, str], int] = {}
        self._name_of = np.full(0, UNKNOWN, dtype=np.int32)
        self._by_group: list[Ids] = []
        """For each measurement: the series of each group."""

    def __reduce__(self) -> tuple[type[GroupSeries], tuple[()]]:
        return GroupSeries, ()

    def of(self, group: Ids, series: Ids, keys: Keys) -> Ids:
        """The series of each group's results where the measurement is that of `series`, by position."""
        names = self.names(series, keys)
        out = np.empty(len(group), dtype=np.int32)
        for name in np.unique(names).tolist():
            at = names == name
            out[at] = self._of_name(name, group[at], series[at], keys)
        return out

    def names(self, series: Ids, keys: Keys) -> Ids:
        """A number for each database, retention policy and measurement."""
        self._name_of = grown(self._name_of, len(keys.series), UNKNOWN)
        for each in np.unique(series[self._name_of[series] == UNKNOWN]).tolist():
            found = keys.series[each]
            name = (found.database, found.retention_policy, found.name)
            self._name_of[each] = self._names.setdefault(name, len(self._names))
        return self._name_of[series]

    def _of_name(self, name: int, group: Ids, series: Ids, keys: Keys) -> Ids:
        while len(self._by_group) <= name:
            self._by_group.append(np.full(0, UNKNOWN, dtype=np.int32))
        known = self._by_group[name] = grown(self._by_group[name], len(keys.groups), UNKNOWN)
        new, first = np.unique(group[known[group] == UNKNOWN], return_index=True)
        if len(new):
            like = keys.series[series[known[group] == UNKNOWN][first[0]]]
            for each in new.tolist():
                tags = keys.groups[each].tags
                known[each] = keys.series_id(Series(like.database, like.retention_policy, like.name, tags))
        return known[group]


def renamed(series: Ids, like: Ids, known: GroupSeries, keys: Keys) -> Ids:
    """Each of `series` with the measurement of the one beside it."""
    wrong = np.flatnonzero(known.names(series, keys) != known.names(like, keys))
    return _changed(series, like, wrong, keys, lambda own, _: own)


def merged(series: Ids, onto: Ids, known: GroupSeries, keys: Keys) -> Ids:
    """Each of `series` with the measurement of the one beside it, and that one's tags where it has none of a name."""
    each, which = np.unique(onto, return_inverse=True)
    lacks = np.array([any(not value for _, value in keys.series[one].tags) for one in each.tolist()], dtype=bool)
    differs = lacks[which] | (known.names(series, keys) != known.names(onto, keys))
    return _changed(series, onto, np.flatnonzero(differs), keys, lambda own, others: sorted_tags((*others, *own)))


def _changed(series: Ids, like: Ids, at: np.ndarray, keys: Keys, tags_of: Callable[[Tags, Tags], Tags]) -> Ids:
    if len(at) == 0:
        return series
    pairs, which = np.unique(np.stack((series[at], like[at])), axis=1, return_inverse=True)
    ids = []
    for one, other in pairs.T.tolist():
        own, shape = keys.series[one], keys.series[other]
        tags = tags_of(own.tags, shape.tags)
        ids.append(keys.series_id(Series(shape.database, shape.retention_policy, shape.name, tags)))
    out = series.copy()
    out[at] = np.array(ids, dtype=np.int32)[which.reshape(-1)]
    return out
