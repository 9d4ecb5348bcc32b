"""Waiting for what other processes do: a condition and a bound, never a fixed sleep."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(condition: Callable[[], bool], within_s: float, *, pause_s: float = 0.2) -> bool:
    """Whether the condition came true in time; it is asked once more at the end."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(pause_s)
    return condition()
