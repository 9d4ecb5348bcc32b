"""What a function is: the types that it takes, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_processing.expressions.distinct import by_value
from pipeline_processing.expressions.rows import Rows, Value
from pipeline_processing.expressions.tree import Kind

Signatures = Mapping[tuple[Kind, ...], Kind]
Compute = Callable[[Rows, Sequence[Value], Sequence[Kind]], Value]


@dataclass(frozen=True, slots=True)
class Function:
    """`fails` if it can be an error for some rows and not for others."""

    signatures: Signatures
    compute: Compute
    fails: bool = False


def of_columns(signatures: Signatures, compute: Callable[..., Value]) -> Function:
    """Computed with whole columns of numbers."""
    return Function(signatures, lambda rows, arguments, kinds: compute(*arguments))


def of_values(signatures: Signatures, compute: Callable[..., Any]) -> Function:
    """Computed with plain values, each once; a ValueError is the row's error."""
    return Function(
        signatures,
        lambda rows, arguments, kinds: by_value(rows, compute, arguments, signatures[tuple(kinds)]),
        fails=True,
    )
