"""Waiting for what other processes do: a condition and a bound, never a fixed sleep; and time as a promise counts it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

PATIENCE_S = 120.0
"""For what comes at once on a machine that has nothing else to do: a bound costs nothing while tests pass."""


def until(condition: Callable[[], bool], within_s: float, *, pause_s: float = 0.2) -> bool:
    """Whether the condition came true in time; it is asked once more at the end."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(pause_s)
    return condition()


class Stopwatch:
    """Seconds in which nobody on this machine waited for a processor or a disk, as Linux counts them (/proc/pressure).

    A promise of so many seconds is one of a machine that has them to give. On one that is busy all the time this says 0,
    on an idle one it is a clock; what hangs or sleeps is on the clock of both.
    """

    def __init__(self) -> None:
        self._began_s, self._held_up_s = time.monotonic(), _held_up_s()

    def seconds(self) -> float:
        return max(0.0, time.monotonic() - self._began_s - (_held_up_s() - self._held_up_s))


def overslept_s() -> float:
    """How much longer than it wanted this thread sleeps; tenths of a millisecond on an idle machine."""
    slept_s = []
    for _ in range(50):
        began = time.monotonic()
        time.sleep(0.004)
        slept_s.append(time.monotonic() - began - 0.004)
    return fmean(slept_s)


def _held_up_s() -> float:
    """Since the machine's start; 0 where the kernel does not say."""
    return sum(_stalled_s(Path("/proc/pressure") / of) for of in ("cpu", "io"))


def _stalled_s(path: Path) -> float:
    try:
        return int(path.read_text().splitlines()[0].rpartition("total=")[2]) / 1e6
    except (OSError, IndexError, ValueError):
        return 0.0
