"""Lambdas that say yes or no, and what is no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_processing.expressions import Expression
from pipeline_processing.operators.operator import Tick
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys

NO_BOOL = "the lambda's value is no boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """By row: whether there is an answer, and whether it is yes."""

    valid: np.ndarray
    truth: np.ndarray
    errors: Mapping[str, int]


def judged(condition: Expression, rows: Frame, state: Any, tick: Tick, keys: Keys) -> Judged:
    """A value of another type is an error, as one that cannot be computed."""
    evaluated = condition.evaluate(rows, state, tick.now_ns, keys)
    answer = evaluated.columns.get("bool")
    valid = np.zeros(len(rows), dtype=bool) if answer is None else answer.mask()
    errors = dict(evaluated.errors)
    wrong = len(rows) - int(valid.sum()) - sum(errors.values())
    if wrong > 0:
        errors[NO_BOOL] = wrong
    return Judged(valid=valid, truth=evaluated.truths(len(rows)), errors=errors)
