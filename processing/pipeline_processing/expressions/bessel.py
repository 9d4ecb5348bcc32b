"""Bessel functions of large arguments, where digits depend on how cosines are added.

In:      arguments of which 1 / x² is lost in a float.
Out:     j0, j1, y0, y1 by their asymptotic series, whose terms after the second vanish.
From:    Hankel's expansion, with the rearrangement of sums of sine and cosine that Sun's fdlibm, and Go after it, makes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

LARGE = 1e8


def beyond(small: Callable[[Any], Any], large: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`large` for arguments of LARGE and more, `small` for others."""

    def found(x: Any) -> Any:
        x = np.asarray(x, dtype=np.float64)
        is_large = (np.abs(x) >= LARGE) & np.isfinite(x)
        return np.where(is_large, large(np.where(is_large, x, LARGE)), small(x))

    return found


def _sums(x: Any, sign: float) -> tuple[Any, Any]:
    """sin - cos and sin + cos of x (`sign` 1), or -sin - cos and sin - cos (-1), the smaller by way of cos(2x) to keep its digits."""
    sine, cosine = np.sin(x), np.cos(x)
    differing, adding = (sine - cosine, sine + cosine) if sign > 0 else (-sine - cosine, sine - cosine)
    double = -sign * np.cos(x + x)
    by_double = sign * sine * cosine < 0
    return np.where(by_double, differing, double / adding), np.where(by_double, double / differing, adding)


def j0(x: Any) -> Any:
    x = np.abs(x)
    s, c = _sums(x, 1.0)
    return (c + 0.125 / x * s) / np.sqrt(np.pi * x)


def y0(x: Any) -> Any:
    s, c = _sums(x, 1.0)
    return np.where(x > 0, (s - 0.125 / x * c) / np.sqrt(np.pi * np.abs(x)), np.nan)


def j1(x: Any) -> Any:
    size = np.abs(x)
    s, c = _sums(size, -1.0)
    return np.sign(x) * (c - 0.375 / size * s) / np.sqrt(np.pi * size)


def y1(x: Any) -> Any:
    s, c = _sums(x, -1.0)
    return np.where(x > 0, (s + 0.375 / x * c) / np.sqrt(np.pi * np.abs(x)), np.nan)
