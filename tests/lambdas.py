"""Small lambdas for tests of operators."""

from __future__ import annotations

import numpy as np
from pipeline_processing.expressions.compiled import Compiled
from pipeline_processing.expressions.tree import Call, Chain, Constant, Field


def above(name: str, limit: float) -> Compiled:
    """`"name" > limit`"""
    return Compiled(Chain(Field(name), ((">", Constant("float", np.float64(limit))),)))


def field_of(name: str) -> Compiled:
    """`"name"`"""
    return Compiled(Field(name))


def every_other() -> Compiled:
    """`count() % 2 == 1`, which is true for a group's first point, its third, ..."""
    odd = Chain(Call("count", ()), (("%", Constant("int", np.int64(2))),))
    return Compiled(Chain(odd, (("==", Constant("int", np.int64(1))),)))


def now() -> Compiled:
    """`unixNano(now())`"""
    return Compiled(Call("unixNano", (Call("now", ()),)))
