"""Functions of Python computed once for each distinct value, not once a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_processing.expressions.rows import Coded, Rows, Value, varies
from pipeline_processing.expressions.tree import Kind

NOTHING: dict[str, Any] = {"float": 0.0, "int": 0, "bool": False, "string": "", "duration": 0}
"""What stands where a row has no value."""
DTYPES: dict[str, type] = {
    "float": np.float64,
    "int": np.int64,
    "bool": np.bool_,
    "string": object,
    "duration": np.int64,
}
SCALARS: dict[str, Callable[[Any], Any]] = {
    "float": np.float64,
    "int": np.int64,
    "bool": np.bool_,
    "string": str,
    "duration": np.int64,
}


def by_value(rows: Rows, function: Callable[..., Any], arguments: Sequence[Value], kind: Kind) -> Value:
    """`function` of each row's arguments, as plain values; a ValueError is the rows' error."""
    varying = [distinct(argument) for argument in arguments if varies(argument)]
    if not varying:
        return _once(rows, function, [_plain(argument) for argument in arguments], kind)
    codes, picks = _combined(varying)
    columns = iter([list(map(values.__getitem__, pick)) for (values, _), pick in zip(varying, picks, strict=True)])
    many = len(picks[0])
    lists = [next(columns) if varies(argument) else [_plain(argument)] * many for argument in arguments]
    found, faults = _computed(function, lists, kind)
    for reason, at in faults.items():
        hit = np.zeros(many, dtype=bool)
        hit[at] = True
        rows.fail(hit[codes], reason)
    values = np.empty(many, dtype=DTYPES[kind])
    values[:] = found
    return Coded(values, codes) if kind == "string" else values[codes]


def distinct(value: Value) -> tuple[list[Any], np.ndarray]:
    """The distinct values, and which of them each row has."""
    if isinstance(value, Coded):
        if len(value.values) <= len(value.codes):
            return value.values.tolist(), value.codes
        used, codes = np.unique(value.codes, return_inverse=True)
        return value.values[used].tolist(), codes
    if value.dtype == object:
        texts = value.tolist()
        numbers = dict.fromkeys(texts)
        numbers = dict(zip(numbers, range(len(numbers)), strict=True))
        return list(numbers), np.fromiter(map(numbers.__getitem__, texts), np.int64, len(texts))
    bits = value.view(np.int64) if value.dtype == np.float64 else value  # -0 is not 0, and no NaN is another's equal
    found, codes = np.unique(bits, return_inverse=True)
    return found.view(value.dtype).tolist(), codes


def _plain(value: Value) -> Any:
    return value.item() if isinstance(value, np.generic | np.ndarray) else value


def _once(rows: Rows, function: Callable[..., Any], arguments: list[Any], kind: Kind) -> Value:
    try:
        return SCALARS[kind](function(*arguments))
    except ValueError as error:
        rows.fail(True, str(error))
        return SCALARS[kind](NOTHING[kind])


def _combined(varying: list[tuple[list[Any], np.ndarray]]) -> tuple[np.ndarray, list[list[int]]]:
    """A number for each combination that rows have, and for each argument which of its values the combinations have."""
    codes, picks = varying[0][1], [list(range(len(varying[0][0])))]
    for values, more in varying[1:]:
        pairs, codes = np.unique(codes.astype(np.int64) * len(values) + more, return_inverse=True)
        before, last = np.divmod(pairs, len(values))
        picks = [[pick[at] for at in before.tolist()] for pick in picks] + [last.tolist()]
    return codes, picks


def _computed(
    function: Callable[..., Any], lists: list[list[Any]], kind: Kind
) -> tuple[list[Any], dict[str, list[int]]]:
    found: list[Any] = []
    faults: dict[str, list[int]] = {}
    for at, arguments in enumerate(zip(*lists, strict=True)):
        try:
            found.append(function(*arguments))
        except ValueError as error:
            found.append(NOTHING[kind])
            faults.setdefault(str(error), []).append(at)
    return found, faults
