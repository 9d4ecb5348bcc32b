"""What a thumbnail gets of a feed: so few rows that a page of all demos stays cheap, whatever the rates are.

In:   rows with a key each, as they come.
Out:  once in EVERY_S the newest row of each key that came since. A table's key is its own, so a row that changed five
      times comes once; a topic's key is the producer and a tenth of a second, so that it sends ten rows a second at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

EVERY_S = 1.0

RowT = TypeVar("RowT")


class Thinned(Generic[RowT]):
    """See the module; one thread uses it."""

    def __init__(self, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._waiting: dict[Hashable, RowT] = {}
        self._due_s = clock_s()

    def take(self, keyed: Iterable[tuple[Hashable, RowT]]) -> list[RowT]:
        """The rows that are due now; none while others wait for their second."""
        self._waiting.update(keyed)
        if not self._waiting or self._clock_s() < self._due_s:
            return []
        self._due_s = self._clock_s() + EVERY_S
        due = list(self._waiting.values())
        self._waiting.clear()
        return due
