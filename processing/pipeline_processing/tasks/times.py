"""Times and durations as Kapacitor's API writes and reads them.

In:      ns since the epoch; texts of RFC 3339, and durations such as `10s` or `1h30m`.
Out:     RFC 3339 in UTC, with as many digits behind the point as are needed; ns.
Refuses: (ValueError) texts that are none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time."""
NS_PER_S = 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)")
UNITS_NS = {
    "ns": 1,
    "u": 1_000,
    "µ": 1_000,
    "ms": 1_000_000,
    "s": NS_PER_S,
    "m": 60 * NS_PER_S,
    "h": 3600 * NS_PER_S,
    "d": 86_400 * NS_PER_S,
    "w": 604_800 * NS_PER_S,
}
PART = r"(\d+)(ns|ms|u|µ|s|m|h|d|w)"


def rfc3339(time_ns: int | None) -> str:
    """None is the time that never was."""
    if time_ns is None:
        return NEVER
    seconds, rest_ns = divmod(time_ns, NS_PER_S)
    fraction = f".{rest_ns:09d}".rstrip("0") if rest_ns else ""
    return f"{(EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()}{fraction}Z"


def time_ns(text: str) -> int | None:
    """Raises ValueError."""
    found = RFC3339.fullmatch(text)
    if not found:
        raise _no_time(text)
    day, clock, fraction, zone = found.groups()
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    except ValueError:
        raise _no_time(text) from None
    if whole.year == 1:
        return None
    seconds = (whole - EPOCH) // timedelta(seconds=1)
    return seconds * NS_PER_S + int((fraction or "").ljust(9, "0"))


def duration_ns(text: str) -> int:
    """Raises ValueError."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text)
    if not re.fullmatch(f"({PART})+", rest):
        raise ValueError(f'"{text}" is no duration, such as 10s or 1h30m')
    return sign * sum(int(count) * UNITS_NS[unit] for count, unit in re.findall(PART, rest))


def _no_time(text: str) -> ValueError:
    return ValueError(f'"{text}" is no time of RFC 3339, such as 2026-01-02T15:04:05Z')
