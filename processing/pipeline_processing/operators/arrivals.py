"""What the parents of an operator gave in one step, in one order: by cause, then by parent.

That order does not depend on where steps begin and end, nor on which parent's data lies first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline_processing.operators.held_batches import Held, heads_of
from pipeline_processing.operators.operator import Data
from pipeline_processing.points.barriers import Barriers, one_after_the_other
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.go_time import rounded_ns

NO_PARENTS: np.ndarray = np.empty(0, dtype=np.int64)
CLOSING_CAUSE = np.iinfo(np.int64).max
"""The cause of what comes out as a task closes: after all that points cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Points, or batches; one entry each."""

    slot: np.ndarray
    """Where each is held."""
    parent: np.ndarray
    """The parent's position."""
    cause: np.ndarray
    time_ns: np.ndarray
    group: np.ndarray

    @classmethod
    def held(cls, inputs: Sequence[Data], held: Held) -> Arrivals:
        """Hold all that came, and say in which order it did."""
        slots = [held.add(each) if len(each) else np.empty(0, dtype=np.int64) for each in inputs]
        slot = np.concatenate(slots)
        parent = np.repeat(np.arange(len(inputs)), [len(each) for each in slots])
        heads = heads_of(held)
        if sum(len(each) > 0 for each in slots) > 1:
            order = np.lexsort((parent, heads.cause[slot]))
            slot, parent = slot[order], parent[order]
        return cls(
            slot=slot, parent=parent, cause=heads.cause[slot], time_ns=heads.time_ns[slot], group=heads.group[slot]
        )

    def causes(self, arrival: np.ndarray) -> np.ndarray:
        """The cause of each of these arrivals, by position; -1 stands for the task's end."""
        return np.append(self.cause, CLOSING_CAUSE)[arrival]


def barriers_of(inputs: Sequence[Data]) -> tuple[Barriers | None, np.ndarray]:
    """Those of all parents, one parent's after the other's, and the parent of each."""
    found: Barriers | None = None
    parents = [NO_PARENTS]
    for parent, each in enumerate(inputs):
        if each.barriers is not None:
            found = one_after_the_other(found, each.barriers)
            parents.append(np.full(len(each.barriers), parent))
    return found, np.concatenate(parents)


def rounded(data: Data, tolerance_ns: int) -> Data:
    """With times rounded, halves up, to multiples of the tolerance; as they are where it is 0."""
    if tolerance_ns == 0 or len(data) == 0:
        return data
    if isinstance(data, Batches):
        return replace(data, tmax_ns=rounded_ns(data.tmax_ns, tolerance_ns), rows=rounded(data.rows, tolerance_ns))
    return replace(data, time_ns=rounded_ns(data.time_ns, tolerance_ns))
