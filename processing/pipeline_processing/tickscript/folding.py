"""Operators on literals, as Go computes: integers have 64 bits and wrap, division truncates toward zero.

In:      operands of a variable's expression or an argument, outside of lambdas.
Out:     the literal that they come to.
Refuses: types that an operator does not take, an integer's division by zero (WrongOperands), strings beyond
         CHARACTERS_MAX (TooLarge).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from pipeline_processing.tickscript.errors import TooLarge, WrongOperands
from pipeline_processing.tickscript.regexes import matches
from pipeline_processing.tickscript.syntax import (
    Boolean,
    Duration,
    Float,
    Integer,
    Literal,
    Node,
    Position,
    Reference,
    Regex,
    String,
)

CHARACTERS_MAX = 1_000_000
TYPE_NAMES = {
    "Integer": "int",
    "Float": "float",
    "Boolean": "bool",
    "NodeRef": "a node",
    "Items": "list",
    "TimeDimension": "time(..)",
}
_COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ON_BOOLEANS = {"AND": operator.and_, "OR": operator.or_, "==": operator.eq, "!=": operator.ne}


def type_name(value: Node) -> str:
    name = type(value).__name__
    return TYPE_NAMES.get(name, name.lower())


def folded_unary(sign: str, value: Node, at: Position) -> Literal:
    match sign, value:
        case "-", Integer():
            return Integer(value=_wrapped(-value.value), at=at)
        case "-", Float():
            return Float(value=-value.value, at=at)
        case "-", Duration():
            return Duration(value_ns=_wrapped(-value.value_ns), at=at)
        case "!", Boolean():
            return Boolean(value=not value.value, at=at)
    raise WrongOperands(f"invalid argument to '{sign}': {type_name(value)}", at=at)


def folded(sign: str, left: Node, right: Node, at: Position) -> Literal:
    for value in (left, right):
        if isinstance(value, Reference):
            reason = f'"{value.name}" is a field; what is computed for each point begins with `lambda:`'
            raise WrongOperands(reason, at=value.at)
    try:
        found = _computed(sign, left, right, at)
    except ZeroDivisionError:
        raise WrongOperands("division by zero", at=at) from None
    except OverflowError:
        raise WrongOperands("the duration is beyond 64 bits", at=at) from None
    if found is not None:
        return found
    kinds = f"{type_name(left)} {sign} {type_name(right)}"
    mixed = {type(left), type(right)} == {Integer, Float} and sign in "+-*/"
    raise WrongOperands(
        f"mismatched type to binary operator. got {kinds}" + ("; write both with a point, or none" if mixed else ""),
        at=at,
    )


def _computed(sign: str, left: Node, right: Node, at: Position) -> Literal | None:
    """None for types that the operator does not take."""
    if sign in {"AND", "OR"} or sign in _COMPARISONS or sign in {"=~", "!~"}:
        truth = _truth(sign, left, right)
        return None if truth is None else Boolean(value=truth, at=at)
    match left, right:
        case String(), String() if sign == "+":
            return _joined(left.value, right.value, at)
        case Integer(), Integer():
            return Integer(value=_wrapped(_ON_INTEGERS[sign](left.value, right.value)), at=at)
        case Float(), Float() if sign in _ON_FLOATS:
            return Float(value=_ON_FLOATS[sign](left.value, right.value), at=at)
    return _of_durations(sign, left, right, at)


def _joined(left: str, right: str, at: Position) -> String:
    if len(left) + len(right) > CHARACTERS_MAX:
        raise TooLarge(f"a string of {len(left) + len(right):,} characters, allowed are {CHARACTERS_MAX:,}", at=at)
    return String(value=left + right, at=at)


def _truth(sign: str, left: Node, right: Node) -> bool | None:
    truth = None
    match left, right:
        case Boolean(), Boolean() if sign in _ON_BOOLEANS:
            truth = _ON_BOOLEANS[sign](left.value, right.value)
        case String(), Regex() if sign in {"=~", "!~"}:
            truth = matches(right.pattern, left.value) is (sign == "=~")
        case (Integer() | Float(), Integer() | Float()) | (String(), String()) if sign in _COMPARISONS:
            truth = _COMPARISONS[sign](left.value, right.value)
        case Duration(), Duration() if sign in _COMPARISONS:
            truth = _COMPARISONS[sign](left.value_ns, right.value_ns)
    return truth


def _of_durations(sign: str, left: Node, right: Node, at: Position) -> Literal | None:
    match sign, left, right:
        case "+" | "-", Duration(), Duration():
            return Duration(value_ns=_wrapped(_ON_INTEGERS[sign](left.value_ns, right.value_ns)), at=at)
        case "/", Duration(), Duration():
            return Integer(value=_quotient(left.value_ns, right.value_ns), at=at)
        case "*" | "/", Duration(), Integer():
            return Duration(value_ns=_wrapped(_ON_INTEGERS[sign](left.value_ns, right.value)), at=at)
        case "*" | "/", Duration(), Float():
            return Duration(value_ns=_whole(_ON_FLOATS[sign](float(left.value_ns), right.value)), at=at)
        case "*", Integer() | Float(), Duration():
            return _of_durations(sign, right, left, at)
    return None


def _wrapped(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63


def _whole(value: float) -> int:
    if not abs(value) < 2.0**63:
        raise OverflowError
    return int(value)


def _quotient(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    return left - right * _quotient(left, right)


def _float_quotient(left: float, right: float) -> float:
    if right:
        return left / right
    return math.copysign(math.inf, left) * math.copysign(1.0, right) if left and not math.isnan(left) else math.nan


_ON_INTEGERS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _quotient,
    "%": _remainder,
}
_ON_FLOATS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _float_quotient,
}
