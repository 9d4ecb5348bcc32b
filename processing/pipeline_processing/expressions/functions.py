"""Every function of lambdas, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline_processing.expressions.conversions import CONVERSIONS
from pipeline_processing.expressions.distinct import DTYPES
from pipeline_processing.expressions.function import Function, Signatures
from pipeline_processing.expressions.mathematics import MATHEMATICS
from pipeline_processing.expressions.rows import Rows, Value, column, varies
from pipeline_processing.expressions.texts import TEXTS
from pipeline_processing.expressions.times import TIMES
from pipeline_processing.expressions.tree import Kind


def _if(rows: Rows, arguments: Sequence[Value], kinds: Sequence[Kind]) -> Value:
    """Both branches were computed, and an error in either is the row's."""
    condition, then, otherwise = arguments
    if not varies(condition):
        return then if condition else otherwise
    if kinds[1] == "string":
        then, otherwise = (column(each, rows.count, DTYPES["string"]) for each in (then, otherwise))
    return np.where(condition, then, otherwise)


_IF: Signatures = {("bool", kind, kind): kind for kind in ("float", "int", "string", "bool", "time", "duration")}
_PRESENT: Signatures = {(kind,): "bool" for kind in ("missing", "bool", "string", "int", "float")}
PURE: dict[str, Function] = {
    **CONVERSIONS,
    **MATHEMATICS,
    **TEXTS,
    **TIMES,
    "if": Function(_IF, _if),
    "isPresent": Function(_PRESENT, lambda rows, arguments, kinds: np.bool_(kinds[0] != "missing")),
}
SIGNATURES: dict[str, Signatures] = {
    **{name: each.signatures for name, each in PURE.items()},
    "count": {(): "int"},
    "sigma": {("float",): "float"},
    "spread": {("float",): "float"},
}


def argument_counts(name: str) -> list[int]:
    """How many arguments the function may have."""
    return sorted({len(kinds) for kinds in SIGNATURES[name]})
