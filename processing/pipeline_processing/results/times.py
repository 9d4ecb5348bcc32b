"""Times as text: RFC 3339 in UTC, with as many decimals as there are."""

from __future__ import annotations

import datetime

SECOND_NS = 1_000_000_000
EPOCH = datetime.datetime(1970, 1, 1)
"""Without a zone, which is quicker: all is UTC."""


def rfc3339(time_ns: int) -> str:
    """`1971-01-01T00:00:07.5Z`."""
    seconds, ns = divmod(int(time_ns), SECOND_NS)
    whole = (EPOCH + datetime.timedelta(seconds=seconds)).isoformat()
    return f"{whole}{decimals(ns)}Z"


def ns_of(text: str) -> int:
    """Of a time that `rfc3339` wrote."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = (datetime.datetime.fromisoformat(whole) - EPOCH) // datetime.timedelta(seconds=1)
    return seconds * SECOND_NS + int(fraction.ljust(9, "0"))


def decimals(ns: int) -> str:
    """The decimals of a second, with their point; none if there are none."""
    return "." + f"{ns:09d}".rstrip("0") if ns else ""
