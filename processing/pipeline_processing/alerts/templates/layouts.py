"""Times written by a layout of Go's: how the reference time, Mon Jan 2 15:04:05 MST 2006, would be written."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping

PIECE = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|0[1-6]|002|15|[.,]0+(?!\d)|[.,]9+(?!\d)|PM|pm|Z07:00|Z0700|-07:00|-0700|-07|_2|[1-6]"
)
Moment = datetime.datetime

PIECES: Mapping[str, Callable[[Moment], str]] = {
    "January": lambda at: f"{at:%B}",
    "Jan": lambda at: f"{at:%b}",
    "Monday": lambda at: f"{at:%A}",
    "Mon": lambda at: f"{at:%a}",
    "MST": lambda at: "UTC",
    "2006": lambda at: f"{at.year:04d}",
    "01": lambda at: f"{at.month:02d}",
    "02": lambda at: f"{at.day:02d}",
    "002": lambda at: f"{at.timetuple().tm_yday:03d}",
    "03": lambda at: f"{at.hour % 12 or 12:02d}",
    "04": lambda at: f"{at.minute:02d}",
    "05": lambda at: f"{at.second:02d}",
    "06": lambda at: f"{at.year % 100:02d}",
    "15": lambda at: f"{at.hour:02d}",
    "PM": lambda at: "PM" if at.hour >= 12 else "AM",
    "pm": lambda at: "pm" if at.hour >= 12 else "am",
    "Z07:00": lambda at: "Z",
    "Z0700": lambda at: "Z",
    "-07:00": lambda at: "+00:00",
    "-0700": lambda at: "+0000",
    "-07": lambda at: "+00",
    "_2": lambda at: f"{at.day:2d}",
    "1": lambda at: str(at.month),
    "2": lambda at: str(at.day),
    "3": lambda at: str(at.hour % 12 or 12),
    "4": lambda at: str(at.minute),
    "5": lambda at: str(at.second),
    "6": lambda at: "6",
}


def formatted_time(moment: Moment, ns: int, layout: str) -> str:
    """`ns` are the decimals of the second."""

    def write(found: re.Match[str]) -> str:
        piece = found[0]
        if piece[0] not in ".,":
            return PIECES[piece](moment)
        digits = f"{ns:09d}"[: len(piece) - 1]
        if piece[1] == "0":
            return piece[0] + digits
        digits = digits.rstrip("0")
        return piece[0] + digits if digits else ""

    return PIECE.sub(write, layout)
