"""The newest portions of points, read and parsed once for all tasks.

A task that keeps up reads here; one that does not falls out at the old end, and reads the queue itself until it is back.
So nobody waits for a slow task.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pipeline_processing.engine.portion import Portion

Place: TypeAlias = tuple[str, int]
"""A topic and its partition."""
ROWS_MAX = 500_000


@dataclass(slots=True)
class Ring:
    rows_max: int = ROWS_MAX
    _portions: deque[Portion] = field(default_factory=deque)
    _first: int = 0
    """The number of the oldest portion, counted since ever."""
    _rows: int = 0
    _begin: dict[Place, int] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def begins_at(self, offsets: Mapping[Place, int]) -> None:
        """What is appended next follows these offsets."""
        with self._changed:
            for place, offset in offsets.items():
                self._begin.setdefault(place, offset)

    def append(self, portion: Portion) -> None:
        with self._changed:
            self._portions.append(portion)
            self._rows += len(portion)
            while self._rows > self.rows_max and len(self._portions) > 1:
                oldest = self._portions.popleft()
                self._first += 1
                self._rows -= len(oldest)
                self._begin[oldest.place] = oldest.offset + 1
            self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def read(
        self, cursor: int, positions: Mapping[Place, int], *, rows: int, wait_s: float
    ) -> tuple[int, list[Portion]] | None:
        """The next cursor and up to about `rows` rows from `cursor` on, at the given positions or after them; an empty
        list after `wait_s`, or when woken. None where the task has fallen out."""
        with self._changed:
            if not self._holds(positions):
                return None
            if cursor >= self._first + len(self._portions):
                self._changed.wait(wait_s)
                if not self._holds(positions):
                    return None
            found: list[Portion] = []
            at = max(cursor, self._first)
            while at < self._first + len(self._portions) and rows > 0:
                portion = self._portions[at - self._first]
                at += 1
                if portion.offset >= positions.get(portion.place, 0) and portion.place in positions:
                    found.append(portion)
                    rows -= len(portion)
            return at, found

    def _holds(self, positions: Mapping[Place, int]) -> bool:
        """Whether all that follows these positions is here, or will be."""
        return all(self._begin.get(place, 0) <= offset for place, offset in positions.items())
