"""Points under another measurement, as `rename` and `streamName` give them.

In:   series and groups by number; '' renames nothing.
Out:  those with the new measurement. A group has it only where measurements are apart.
It is computed again from the keys, so it is not state, and pickles as its name.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline_processing.points.keys import Ids, Keys, PerSeries


class Renaming:
    def __init__(self, name: str) -> None:
        self._name = name
        self._series: PerSeries | None = None
        self._groups: PerSeries | None = None

    def __reduce__(self) -> tuple[type[Renaming], tuple[str]]:
        return Renaming, (self._name,)

    def series(self, series: Ids, keys: Keys) -> Ids:
        if not self._name:
            return series
        if self._series is None:
            self._series = PerSeries(lambda each: keys.series_id(replace(keys.series[each], name=self._name)))
        return self._series.of(series)

    def groups(self, group: Ids, keys: Keys) -> Ids:
        if not self._name:
            return group
        if self._groups is None:
            self._groups = PerSeries(lambda each: self._group(keys, each))
        return self._groups.of(group)

    def _group(self, keys: Keys, group: int) -> int:
        found = keys.groups[group]
        return group if found.name is None else keys.group_id(replace(found, name=self._name))
