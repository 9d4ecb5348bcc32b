"""Times cut and rounded as Go does: multiples count from the year 1, not from the epoch, so that a week begins on Monday.

From:  `Time.Truncate` and `Time.Round` of Go's package time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SECONDS_TO_EPOCH = 62_135_596_800
"""From the first of January of the year 1 to that of 1970."""


def origin_ns(every_ns: int) -> int:
    """How far the epoch is past a multiple of `every_ns`, in ns."""
    return SECONDS_TO_EPOCH * 1_000_000_000 % every_ns


@njit(cache=True, nogil=True)
def truncated(time_ns: int, every_ns: int, origin: int) -> int:
    """One time; `origin` is `origin_ns(every_ns)`."""
    return time_ns - (time_ns % every_ns + origin) % every_ns


def truncated_ns(time_ns: np.ndarray, every_ns: int) -> np.ndarray:
    return time_ns - (time_ns % every_ns + origin_ns(every_ns)) % every_ns


def rounded_ns(time_ns: np.ndarray, every_ns: int) -> np.ndarray:
    """To the nearest multiple, halves up."""
    past = (time_ns % every_ns + origin_ns(every_ns)) % every_ns
    return np.where(past + past < every_ns, time_ns - past, time_ns + (every_ns - past))
