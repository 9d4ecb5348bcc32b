"""Numbers and durations as Go writes and reads them."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from pipeline_processing.expressions.operations import INT_MIN

UNITS_NS = {
    "w": 604_800_000_000_000,
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "u": 1_000,
}
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_INT = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.I)
_HEX_FLOAT = re.compile(r"[+-]?0x([0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)p[+-]?[0-9]+", re.I)
_NAMED_FLOAT = re.compile(r"[+-]?inf(inity)?|nan", re.I)
_UNDERSCORE = re.compile(r"(?<=[0-9])_(?=[0-9])")
_HEX_UNDERSCORE = re.compile(r"(?<=[0-9a-fx])_(?=[0-9a-f])", re.I)
_DURATION = re.compile(r"([0-9]+)(ms|[uµmshdw])")
_SIZES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def float_text(value: float) -> str:
    """The shortest digits that name it, without an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits = repr(value)
    return (format(Decimal(digits), "f") if "e" in digits else digits).removesuffix(".0")


def duration_text(value_ns: int) -> str:
    """In the largest unit of which it is a multiple; microseconds are cut."""
    if value_ns == 0:
        return "0s"
    unit = next((unit for unit, ns in UNITS_NS.items() if value_ns % ns == 0), "u")
    count = abs(value_ns) // UNITS_NS[unit]
    return f"{count if value_ns > 0 else -count}{unit}"


def bool_of(text: str) -> bool:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(f'bool: "{short(text)}" is no bool')


def int_of(text: str) -> int:
    if not _INT.fullmatch(text):
        raise ValueError(f'int: "{short(text)}" is no integer')
    if len(text.lstrip("+-0")) > 19 or not INT_MIN <= (value := int(text)) < -INT_MIN:
        raise ValueError(f'int: "{short(text)}" is more than 64 bits hold')
    return value


def float_of(text: str) -> float:
    if _NAMED_FLOAT.fullmatch(text):
        return float(text)
    if _FLOAT.fullmatch(digits := _UNDERSCORE.sub("", text)):
        value = float(digits)
    elif _HEX_FLOAT.fullmatch(digits := _HEX_UNDERSCORE.sub("", text)):
        value = _hex(digits)
    else:
        raise ValueError(f'float: "{short(text)}" is no float')
    if math.isinf(value):
        raise ValueError(f'float: "{short(text)}" is more than a float holds')
    return value


def _hex(digits: str) -> float:
    try:
        return float.fromhex(digits)
    except OverflowError:
        return math.inf


def duration_of(text: str) -> int:
    """Of the form `1h30m`, perhaps with a minus before it."""
    digits = text.removeprefix("-")
    found = _DURATION.findall(digits)
    if not found or "".join(count + unit for count, unit in found) != digits:
        raise ValueError(f'duration: "{short(text)}" is no duration')
    if any(len(count) > 18 and int(count) >= -INT_MIN for count, _ in found):
        raise ValueError(f'duration: "{short(text)}" is more than 64 bits hold')
    value = wrapped(sum(int(count) * UNITS_NS["u" if unit == "µ" else unit] for count, unit in found))
    if text.startswith("-"):
        return wrapped(-value)
    if value < 0:
        raise ValueError(f'duration: "{short(text)}" is more than 64 bits hold')
    return value


def bytes_text(size: int) -> str:
    """A number of bytes for people, in powers of 1000."""
    if size < 10:
        return f"{size} B"
    power = math.floor(math.log(float(size)) / math.log(1000))
    value = math.floor(float(size) / math.pow(1000, power) * 10 + 0.5) / 10
    return f"{value:.1f} {_SIZES[power]}" if value < 10 else f"{value:.0f} {_SIZES[power]}"


def wrapped(value: int) -> int:
    return (value - INT_MIN) % 2**64 + INT_MIN


def short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}.."
