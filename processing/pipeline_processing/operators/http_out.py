"""The newest result of each group, to be asked for over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numba import njit

from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import argument, string
from pipeline_processing.operators.runs import forgotten
from pipeline_processing.points.batches import Batches, no_batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import RowStore, grown

NONE = -1


@dataclass(slots=True)
class Newest:
    """The slot of each group's newest point, or its newest batch. Groups are in the order of their first result."""

    rows: RowStore = field(default_factory=RowStore)
    slot: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    order: dict[int, None] = field(default_factory=dict)
    batches: dict[int, tuple[Batches, int]] = field(default_factory=dict)

    def __getstate__(self) -> tuple[Any, ...]:
        alone = {group: (held.take(np.array([at])), 0) for group, (held, at) in self.batches.items()}
        return self.rows, self.slot, self.order, alone

    def __setstate__(self, held: tuple[Any, ...]) -> None:
        self.rows, self.slot, self.order, self.batches = held

    def points(self) -> Frame:
        return self.rows.take(self.slot[np.array(list(self.order), dtype=np.int64)])

    def forget(self, groups: Ids) -> None:
        met = groups[groups < len(self.slot)]
        slots = self.slot[met]
        self.rows.free(slots[slots != NONE])
        self.slot[met] = NONE
        for each in groups.tolist():
            self.order.pop(each, None)
            self.batches.pop(each, None)

    def each_batch(self) -> list[Batches]:
        return [held.take(np.array([at])) for held, at in self.batches.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOut:
    """Keep the newest point, or batch, of each group under a name; they are read at `tasks/ID/NAME`.

    State: those.
    Out:   what came in. A group that is forgotten is not read any more.
    From:  Kapacitor's `httpOut`.
    """

    KIND: ClassVar[str] = "httpOut"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    endpoint: str = argument(string, "the name")

    def initial(self) -> Newest:
        return Newest()

    def forget(self, state: Newest, groups: Ids) -> None:
        state.forget(groups)

    def step(self, state: Newest, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data = inputs[0]
        if isinstance(data, Batches):
            for at, group in enumerate(data.group.tolist()):
                state.batches[group] = data, at
        elif len(data):
            self._keep(state, data, groups=len(keys.groups))
        state.forget(forgotten(data))
        return Step(state=state, out=data)

    def _keep(self, state: Newest, points: Frame, *, groups: int) -> None:
        state.slot = grown(state.slot, groups, fill=NONE)
        newest, first_seen = _newest(points.group, state.slot)
        state.order.update(dict.fromkeys(first_seen.tolist()))
        before = state.slot[points.group[newest]]
        state.rows.free(before[before != NONE])
        state.slot[points.group[newest]] = state.rows.add(points.take(newest))


@njit(cache=True, nogil=True)
def _newest(group, slot):
    """The last row of each group, and the groups that have no slot yet, in the order of their first row."""
    last = dict()
    fresh = np.empty(len(group), dtype=np.int64)
    count = 0
    for i in range(len(group)):
        if slot[group[i]] == NONE and group[i] not in last:
            fresh[count] = group[i]
            count += 1
        last[group[i]] = i
    rows = np.empty(len(last), dtype=np.int64)
    for at, row in enumerate(last.values()):
        rows[at] = row
    return rows, fresh[:count]


def result_of(state: Newest) -> list[Data]:
    """What is read at the endpoint: frames of one point a group, or batches."""
    if state.order:
        return [state.points()]
    return list(state.each_batch()) or [no_batches()]
