"""Floats as Go writes them: the shortest digits that read back as the same number.

In:  a finite float64.
Out: text; `json_float` as encoding/json (25.0 is `25`, 1e21 is `1e+21`), `plain_float` as fmt's `%v` (1e6 is `1e+06`).
"""

from __future__ import annotations

import math

JSON_LOW, JSON_HIGH = 1e-6, 1e21
"""encoding/json writes numbers of at least and below these without an exponent."""
PLAIN_POWER = 6
"""`%v` writes an exponent from 1e6 on, and below 1e-4."""


def json_float(value: float) -> str:
    """As in JSON: an exponent below 1e-6 and from 1e21 on, without a leading zero below ten."""
    size = abs(value)
    if size == 0.0 or JSON_LOW <= size < JSON_HIGH:
        return fixed(value)
    written = exponential(value)
    return written[:-2] + written[-1] if written[-4:-1] == "e-0" else written


def plain_float(value: float) -> str:
    """As `%v`."""
    named = _not_finite(value)
    if named:
        return named
    _, digits, point = _shortest(value)
    power = point - 1 if digits != "0" else 0
    return exponential(value) if power < -4 or power >= PLAIN_POWER else fixed(value)


def fixed(value: float) -> str:
    """Without an exponent."""
    sign, digits, point = _shortest(value)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return sign + digits + "0" * (point - len(digits))
    return f"{sign}{digits[:point]}.{digits[point:]}"


def exponential(value: float) -> str:
    """With an exponent of two digits or more."""
    sign, digits, point = _shortest(value)
    power = point - 1 if digits != "0" else 0
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return ("+Inf" if value > 0 else "-Inf") if math.isinf(value) else ""


def _shortest(value: float) -> tuple[str, str, int]:
    """The sign, the digits without zeros at either end, and how many of them stand before the point."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    leading = len(digits) - len(digits.lstrip("0"))
    digits = digits.strip("0")
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    return (sign, digits, point - leading) if digits else (sign, "0", 1)
