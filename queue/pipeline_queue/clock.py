"""Time as an argument: the machine's clock, and one that tests turn by hand."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`; at once if that is not positive."""


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        return time.time_ns()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)


class ManualClock:
    """A clock that moves only when someone sleeps on it or sets it."""

    def __init__(self, time_ns: int = 0) -> None:
        self.time_ns = time_ns

    def now_ns(self) -> int:
        return self.time_ns

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.time_ns += round(seconds * 1e9)
