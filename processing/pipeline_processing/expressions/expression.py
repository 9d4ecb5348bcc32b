"""A lambda as operators see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from pipeline_processing.points.frame import Column, Frame, Type
from pipeline_processing.points.keys import Ids, Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """One value a row, or none where computing it was an error."""

    columns: Mapping[Type, Column]
    """By the values' types; a row is present in at most one."""
    lost: Mapping[str, np.ndarray] = field(default_factory=dict)
    """The positions of rows without a value, by reason."""

    @property
    def errors(self) -> dict[str, int]:
        """How many rows have no value, by reason."""
        return {reason: len(rows) for reason, rows in self.lost.items()}

    def truths(self, rows: int) -> np.ndarray:
        """The rows whose value is TRUE."""
        column = self.columns.get("bool")
        if column is None:
            return np.zeros(rows, dtype=bool)
        return column.values.astype(bool) & column.mask()

    def condition_errors(self, rows: int) -> dict[str, int]:
        """The rows that are neither TRUE nor FALSE, by reason: those without a value, and those with another type."""
        other = {f"a condition is {kind}, not bool": each for kind, each in self.columns.items() if kind != "bool"}
        counts = {reason: rows if each.present is None else int(each.present.sum()) for reason, each in other.items()}
        return {**self.errors, **counts}


@runtime_checkable
class Expression(Protocol):
    def initial(self) -> Any:
        """The state of `count()`, `sigma()` and `spread()`, arrays indexed by group."""

    def evaluate(self, frame: Frame, state: Any, tick_ns: int, keys: Keys) -> Evaluated:
        """Each row's value; the state's arrays are changed. `tick_ns` is what `now()` says."""

    def forget(self, state: Any, groups: Ids) -> None:
        """These groups begin anew."""
