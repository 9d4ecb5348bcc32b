"""Ids for events whose sender gave none: UUIDs that grow with time.

Out:  UUIDs of version 7 as text (RFC 9562, section 5.7): 48 bits of milliseconds, then 12 bits of their fraction (its method 3), then
      60 random bits. Ids of one source grow strictly; those of many grow as their clocks do.
"""

from __future__ import annotations

from random import Random
from secrets import randbits

NS_PER_MS = 1_000_000
FRACTION = 4096
"""Steps of a millisecond, 244 ns each."""
RANDOM_DIGITS = 15


class Ids:
    """One for each process; not for several threads."""

    def __init__(self) -> None:
        self._step = 0
        self._random = Random(randbits(256))  # the system's own would cost more than the rest of an event

    def take(self, count: int, time_ns: int) -> list[str]:
        """So many of that time, a step apart, or after the last one where that is later: a clock set back makes none smaller."""
        ms, rest = divmod(time_ns, NS_PER_MS)
        first = max(self._step + 1, ms * FRACTION + rest * FRACTION // NS_PER_MS)
        self._step = first + count - 1
        digits = f"{self._random.getrandbits(4 * RANDOM_DIGITS * count):0{RANDOM_DIGITS * count}x}"
        return [_text(first + i, digits[i * RANDOM_DIGITS : (i + 1) * RANDOM_DIGITS]) for i in range(count)]


def _text(step: int, random: str) -> str:
    time = f"{step:015x}"  # 12 digits of milliseconds, 3 of their fraction
    return f"{time[:8]}-{time[8:12]}-7{time[12:]}-8{random[:3]}-{random[3:]}"
