"""What people look at, so that a feed asks for that and for nothing else.

In:   looks, that a page repeats every two seconds while it is open and visible.
Out:  one thing after the other that is to be asked for again: each once in `EVERY_S`, a new one at once.
A thing is forgotten when nobody has looked at it for `FORGET_S`. Any thread may note a look; one waits for what is due.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import msgspec

EVERY_S = 1.0
FORGET_S = 6.0
"""Three looks of a page; the last of them may have been lost."""
THINGS_MAX = 50


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """At the list of tasks, or at one of them, with the replay that is chosen there."""

    task: str = ""
    replay: str = ""


class Looks:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[Look, float] = {}
        self._due: dict[Look, float] = {}
        self._news = threading.Condition()

    def note(self, look: Look) -> bool:
        """False where more is looked at than can be asked for."""
        with self._news:
            if look not in self._until and len(self._until) >= THINGS_MAX:
                return False
            self._until[look] = self._clock() + FORGET_S
            if look not in self._due:
                self._due[look] = self._clock()
                self._news.notify()
            return True

    def take(self, wait_s: float) -> Look | None:
        """What is to be asked for now, None if nothing is within `wait_s`."""
        with self._news:
            if self._next() is None:
                self._news.wait(min(wait_s, self._pause_s()))
            look = self._next()
            if look is not None:
                self._due[look] = self._clock() + EVERY_S
            return look

    def _next(self) -> Look | None:
        now = self._clock()
        for look in [each for each, until in self._until.items() if until < now]:
            del self._until[look], self._due[look]
        due = [each for each in self._due if self._due[each] <= now]
        return min(due, key=self._due.__getitem__, default=None)

    def _pause_s(self) -> float:
        return max(0.0, min(self._due.values(), default=self._clock() + EVERY_S) - self._clock())
