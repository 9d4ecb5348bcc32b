"""Functions of floats, at their edges as in Go's package math. They take floats alone: `abs(3)` is an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_processing.expressions import bessel
from pipeline_processing.expressions.function import of_columns

_POWERS_OF_10 = np.array([0.0, *(float(f"1e{power}") for power in range(-323, 309)), np.inf])


def _special(name: str) -> Callable[..., Any]:
    """A function of scipy.special, which is imported when one is first computed: it takes 12 MB, and few scripts ask for it."""

    def computed(*arguments: Any) -> Any:
        from scipy import special

        return getattr(special, name)(*arguments)

    return computed


def _gamma(x: Any) -> Any:
    """None for the integers below zero and for -Inf."""
    return np.where((x < 0) & (np.floor(x) == x), np.nan, _special("gamma")(x))


def _logb(x: Any) -> Any:
    """The exponent of 2."""
    exponent = np.frexp(x)[1] - 1.0
    return np.where(np.isfinite(x), np.where(x == 0, -np.inf, exponent), np.abs(x))


def _log2(x: Any) -> Any:
    """Exact for powers of 2."""
    fraction, exponent = np.frexp(x)
    return np.where(fraction == 0.5, exponent - 1.0, np.log(fraction) * 1.4426950408889634 + exponent)


def _log10(x: Any) -> Any:
    """By way of `log2`, so that what is whole there is whole here."""
    return _log2(x) * 0.30102999566398120


def _max(x: Any, y: Any) -> Any:
    """+Inf is more than NaN, which is more than all else; 0 is more than -0."""
    greater = np.where((x == 0) & (y == 0), x + y, np.maximum(x, y))
    return np.where(np.isposinf(x) | np.isposinf(y), np.inf, greater)


def _min(x: Any, y: Any) -> Any:
    less = np.where((x == 0) & (y == 0), np.where(np.signbit(x), x, y), np.minimum(x, y))
    return np.where(np.isneginf(x) | np.isneginf(y), -np.inf, less)


def _pow10(n: Any) -> Any:
    return _POWERS_OF_10[np.clip(n, -324, 309) + 324]


def _fading(bessel: Callable[..., Any], at: Callable[[Any], Any]) -> Callable[..., Any]:
    """The Bessel function, 0 at an infinity, where scipy has none, and never -0."""
    return lambda *arguments: np.where(at(arguments[-1]), 0.0, bessel(*arguments) + 0.0)


def _jn(n: Any, x: Any) -> Any:
    return _fading(_special("jv"), np.isinf)(np.asarray(n, dtype=np.float64), x)


def _yn(n: Any, x: Any) -> Any:
    """Of an order below zero, that of its opposite, negated where it is odd."""
    found = _fading(_special("yn"), np.isposinf)(np.minimum(np.abs(n), 2**31 - 1), x)
    return np.where((n < 0) & (n % 2 != 0), -found, found)


_OF_ONE = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "cbrt": np.cbrt,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "erf": _special("erf"),
    "erfc": _special("erfc"),
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "floor": np.floor,
    "gamma": _gamma,
    "j0": _fading(bessel.beyond(_special("j0"), bessel.j0), np.isinf),
    "j1": _fading(bessel.beyond(_special("j1"), bessel.j1), np.isinf),
    "log": np.log,
    "log10": _log10,
    "log1p": np.log1p,
    "log2": _log2,
    "logb": _logb,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
    "trunc": np.trunc,
    "y0": _fading(bessel.beyond(_special("y0"), bessel.y0), np.isposinf),
    "y1": _fading(bessel.beyond(_special("y1"), bessel.y1), np.isposinf),
}
_OF_TWO = {
    "atan2": np.arctan2,
    "hypot": np.hypot,
    "max": _max,
    "min": _min,
    "mod": np.fmod,
    "pow": np.power,
}
MATHEMATICS = {
    **{name: of_columns({("float",): "float"}, each) for name, each in _OF_ONE.items()},
    **{name: of_columns({("float", "float"): "float"}, each) for name, each in _OF_TWO.items()},
    "pow10": of_columns({("int",): "float"}, _pow10),
    "jn": of_columns({("int", "float"): "float"}, _jn),
    "yn": of_columns({("int", "float"): "float"}, _yn),
}
