"""Income groups as numbers.

In:      a group as the census writes it: `<10000`, `10000 to 14999`, `200000+`.
Out:     the income that stands for it, USD a year: its midpoint, the bounds being 10,000 and 15,000 in the second. The open
         group has no midpoint; 1.5 times its lower bound stands for it.
Refuses: (ValueError) other words.
"""

from __future__ import annotations

import re

OPEN_GROUP = 1.5
"""Times the lower bound. Nobody knows: where incomes above it follow Pareto's law with an exponent of 3, it is their mean."""
_BELOW, _BETWEEN, _ABOVE = (
    re.compile(form) for form in (r"<([1-9]\d{0,8})", r"([1-9]\d{0,8}) to ([1-9]\d{0,8})", r"([1-9]\d{0,8})\+")
)


def midpoint(group: str) -> float:
    """The income that stands for the group."""
    if found := _BELOW.fullmatch(group):
        return int(found[1]) / 2
    if found := _BETWEEN.fullmatch(group):
        low, high = int(found[1]), int(found[2]) + 1
        if low < high:
            return (low + high) / 2
    if found := _ABOVE.fullmatch(group):
        return int(found[1]) * OPEN_GROUP
    raise ValueError(f"`{group}` is no income group; one is `<10000`, `10000 to 14999` or `200000+`")
