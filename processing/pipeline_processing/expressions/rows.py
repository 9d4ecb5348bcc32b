"""The rows that a tree is computed for, and which of them are lost on the way.

Values are columns: an array with a value a row, a scalar where all rows have the same, or `Coded` texts. Columns are
computed whole; those rows count that are looked at, which what stands right of AND and OR makes fewer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np


@dataclass(frozen=True, slots=True)
class Coded:
    """Texts of which many rows share one: row i has `values[codes[i]]`."""

    values: np.ndarray
    codes: np.ndarray

    def texts(self) -> np.ndarray:
        return self.values[self.codes]


Value: TypeAlias = Any
"""A numpy scalar or str, an array, or Coded."""


@dataclass(slots=True, kw_only=True)
class Rows:
    """`active` are those that are looked at and have no error; None is all."""

    count: int
    fields: Mapping[str, Value]
    group: np.ndarray
    groups: int
    """Groups are numbered below this."""
    now_ns: int
    state: Mapping[tuple[int, str], Any]
    active: np.ndarray | None = None
    failed: np.ndarray | None = None
    lost: list[tuple[str, np.ndarray]] = field(default_factory=list)
    """Why rows have an error, and their positions."""

    def fail(self, where: Any, reason: str) -> None:
        """The active rows among these have an error, and are active no longer."""
        hit = np.broadcast_to(where, self.count)
        if self.active is not None:
            hit = hit & self.active
        lost = np.flatnonzero(hit)
        if len(lost):
            self.lost.append((reason, lost))
            self.failed = hit.copy() if self.failed is None else self.failed | hit
            self.active = ~hit if self.active is None else self.active & ~hit

    def narrowed(self, to: Any) -> np.ndarray | None:
        """Look at those rows alone from now on; gives what was active, for `widened`."""
        before = self.active
        to = np.broadcast_to(to, self.count)
        self.active = to.copy() if before is None else before & to
        return before

    def widened(self, before: np.ndarray | None) -> None:
        """Look at those rows again, but for what failed."""
        if self.failed is None:
            self.active = before
        else:
            self.active = ~self.failed if before is None else before & ~self.failed

    def any(self) -> bool:
        return self.active is None or bool(self.active.any())


def varies(value: Value) -> bool:
    """Whether rows may have different values."""
    return isinstance(value, Coded) or (isinstance(value, np.ndarray) and value.ndim > 0)


def column(value: Value, rows: int, dtype: Any) -> np.ndarray:
    """The value as an array of its own for each row."""
    if isinstance(value, Coded):
        return value.texts()
    if varies(value):
        return value
    spread = np.empty(rows, dtype=dtype)
    spread[:] = value
    return spread
