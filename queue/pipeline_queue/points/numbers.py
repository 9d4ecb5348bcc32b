"""Numbers, booleans and times of line protocol, read by kernels where their reading is plain.

In:   a text and a place in it.
Out:  where the value ends, its kind, and the value. HARD where it is wrong or unusual: the exact reading of the one line
      (one_line.py) then decides. LONG_FLOAT is a sound float of more digits than one multiplication gives exactly.
From: Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990: a mantissa of less than 2**53 times or by a power
      of ten up to 10**22 is rounded once, hence right.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pipeline_queue.points.kernels import KERNEL

FLOAT, INT, BOOL, STRING, LONG_FLOAT, HARD = 0, 1, 2, 3, 4, -1
DIGITS_MAX = 18
"""An int64 holds any number of so many digits."""
EXACT_MAX = 2**53
POWERS = 10.0 ** np.arange(23)
LONG_DIGITS_MAX, MAGNITUDE_MAX = 100, 200
"""Within these no float overflows or underflows."""
NEWLINE, RETURN, SPACE, COMMA, MINUS, PLUS, POINT, ZERO, NINE = 10, 13, 32, 44, 45, 43, 46, 48, 57
LOWER = 32
"""The bit that makes a letter small."""


@njit(**KERNEL)
def is_end(byte: int) -> bool:
    """Of a value that is no string."""
    return byte in (COMMA, SPACE, NEWLINE, RETURN)


@njit(**KERNEL)
def number(text: np.ndarray, begin: int) -> tuple[int, int, int, float]:
    """(end, kind, the integer, the float)."""
    at, mantissa, digits, fraction = _digits(text, begin + (text[begin] == MINUS))
    length, exponent = len(text), -max(fraction, 0)
    if digits == 0:
        return begin, HARD, 0, 0.0
    if at < length and text[at] == 105:  # i
        is_sound = fraction < 0 and digits <= DIGITS_MAX and (at + 1 == length or is_end(text[at + 1]))
        return at + 1, INT if is_sound else HARD, -mantissa if text[begin] == MINUS else mantissa, 0.0
    if at < length and text[at] | LOWER == 101:  # e
        at, power = _exponent(text, at + 1)
        exponent += power
        if at < 0:
            return begin, HARD, 0, 0.0
    if at < length and not is_end(text[at]):
        return begin, HARD, 0, 0.0
    return _scaled(text[begin] == MINUS, mantissa, digits, exponent, at)


@njit(**KERNEL)
def _digits(text: np.ndarray, at: int) -> tuple[int, int, int, int]:
    """(end, the first DIGITS_MAX digits as a number, how many there are, how many after the point: -1 without one)."""
    mantissa, digits, before = 0, 0, -1
    while at < len(text):
        byte = text[at]
        if ZERO <= byte <= NINE:
            if digits < DIGITS_MAX:
                mantissa = mantissa * 10 + (np.int64(byte) - ZERO)
            digits += 1
        elif byte == POINT and before < 0:
            before = digits
        else:
            break
        at += 1
    return at, mantissa, digits, digits - before if before >= 0 else -1


@njit(**KERNEL)
def _scaled(is_negative: bool, mantissa: int, digits: int, exponent: int, end: int) -> tuple[int, int, int, float]:
    if digits > DIGITS_MAX or mantissa > EXACT_MAX or exponent > 22 or exponent < -22:
        is_in_range = digits <= LONG_DIGITS_MAX and -MAGNITUDE_MAX < digits + exponent < MAGNITUDE_MAX
        return end, LONG_FLOAT if is_in_range else HARD, 0, 0.0
    value = np.float64(mantissa)
    value = value * POWERS[exponent] if exponent >= 0 else value / POWERS[-exponent]
    return end, FLOAT, 0, -value if is_negative else value


@njit(**KERNEL)
def _exponent(text: np.ndarray, at: int) -> tuple[int, int]:
    """(end, exponent), or (-1, 0)."""
    length, sign = len(text), 1
    if at < length and (text[at] == MINUS or text[at] == PLUS):
        sign = -1 if text[at] == MINUS else 1
        at += 1
    begin, power = at, 0
    while at < length and ZERO <= text[at] <= NINE:
        power = min(power * 10 + (np.int64(text[at]) - ZERO), 9999)
        at += 1
    return (at, sign * power) if at > begin else (-1, 0)


@njit(**KERNEL)
def boolean(text: np.ndarray, begin: int) -> tuple[int, int, int, float]:
    """(end, kind, 1 or 0, 0.0): t, T, true, True, TRUE and the same of false."""
    end = begin
    while end < len(text) and not is_end(text[end]):
        end += 1
    first = text[begin] | LOWER if end > begin else 0
    if first not in (116, 102):  # t, f
        return begin, HARD, 0, 0.0
    if end - begin > 1 and not _is_word(text, begin, end, first == 116):
        return begin, HARD, 0, 0.0
    return end, BOOL, 1 if first == 116 else 0, 0.0


@njit(**KERNEL)
def _is_word(text: np.ndarray, begin: int, end: int, is_true: bool) -> bool:
    word = (116, 114, 117, 101, 0) if is_true else (102, 97, 108, 115, 101)
    if end - begin != (4 if is_true else 5):
        return False
    case = text[begin + 1] & LOWER
    if text[begin] & LOWER and not case:
        return False  # tRUE
    for i in range(1, end - begin):
        if text[begin + i] | LOWER != word[i] or text[begin + i] & LOWER != case:
            return False
    return True


@njit(**KERNEL)
def time(text: np.ndarray, begin: int, multiplier: int) -> tuple[int, int, int]:
    """(end, kind, time in ns): INT, or HARD where it is wrong, or may be out of range."""
    at, length, value = begin, len(text), np.uint64(0)
    if at < length and text[at] == MINUS:
        at += 1
    first = at
    while at < length and ZERO <= text[at] <= NINE:
        value = value * np.uint64(10) + np.uint64(text[at] - ZERO)
        at += 1
    if at == first or at - first > 19 or value > np.uint64((2**63 - 2) // multiplier):
        return begin, HARD, 0
    value_ns = np.int64(value) * multiplier
    return at, INT, -value_ns if text[begin] == MINUS else value_ns
