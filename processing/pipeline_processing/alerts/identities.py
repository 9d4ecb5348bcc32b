"""The ids of alerts as numbers, each rendered once a series and group, with the level and time of its last event.

Groups may share an id (a template that does not name the group); they then share the level too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pipeline_processing.alerts.machine import Topic
from pipeline_processing.points.store import grown

Render = Callable[[int, int], str]
"""The id of a series and a group."""


@dataclass(slots=True)
class Identities:
    texts: list[str] = field(default_factory=list)
    topic: Topic = field(default_factory=lambda: Topic(np.empty(0, dtype=np.int8), np.empty(0, dtype=np.int64)))
    _numbers: dict[str, int] = field(default_factory=dict)
    _of_series: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    _group_of_series: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    """The group that a series was first met in, -1 before."""
    _others: dict[tuple[int, int], int] = field(default_factory=dict)
    """Of series that were met in another group too."""

    def numbers(self, series: np.ndarray, group: np.ndarray, render: Render) -> np.ndarray:
        """One number for each pair, by position."""
        if len(series) == 0:
            return np.empty(0, dtype=np.int32)
        highest = int(series.max()) + 1
        self._of_series = grown(self._of_series, highest)
        self._group_of_series = grown(self._group_of_series, highest, -1)
        unknown = self._group_of_series[series] == -1
        if unknown.any():
            _, first = np.unique(series[unknown], return_index=True)
            for at in np.flatnonzero(unknown)[np.sort(first)].tolist():
                self._of_series[series[at]] = self._number(render(int(series[at]), int(group[at])))
                self._group_of_series[series[at]] = group[at]
        found = self._of_series[series]
        for at in np.flatnonzero(self._group_of_series[series] != group).tolist():
            found[at] = self._other((int(series[at]), int(group[at])), render)
        return found

    def forget_settled(self) -> None:
        """Those whose last event was OK: they are numbered anew when they come again."""
        known = np.flatnonzero(self.topic.level[: len(self.texts)] != 0)
        self.texts = [self.texts[each] for each in known.tolist()]
        self.topic = Topic(self.topic.level[known], self.topic.time_ns[known])
        self.__setstate__((self.texts, self.topic))

    def __getstate__(self) -> tuple[list[str], Topic]:
        """What was rendered of series and groups is rendered again from the keys."""
        return self.texts, self.topic

    def __setstate__(self, kept: tuple[list[str], Topic]) -> None:
        self.texts, self.topic = kept
        self._numbers = {text: number for number, text in enumerate(self.texts)}
        self._of_series = np.empty(0, dtype=np.int32)
        self._group_of_series = np.empty(0, dtype=np.int32)
        self._others = {}

    def _other(self, pair: tuple[int, int], render: Render) -> int:
        if pair not in self._others:
            self._others[pair] = self._number(render(*pair))
        return self._others[pair]

    def _number(self, text: str) -> int:
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self.texts)
            self.texts.append(text)
            self.topic = Topic(grown(self.topic.level, number + 1), grown(self.topic.time_ns, number + 1))
        return number
