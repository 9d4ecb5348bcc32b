"""Several parents' points as one stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import numpy as np
from numba import njit

from pipeline_processing.operators.arrivals import CLOSING_CAUSE, Arrivals, barriers_of
from pipeline_processing.operators.held_batches import Held, HeldBatches, heads_of, holder_of
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import NodeName, argument, nodes, option, string
from pipeline_processing.operators.renaming import Renaming
from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame, empty_frame
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import RowStore, grown

UNSEEN = np.iinfo(np.int64).min
"""The mark of a parent that gave nothing yet."""


POINTS, BARRIER, LAST_BARRIER = 0, 1, 2
"""What a slot holds; after the last barrier nothing is to be kept of its group."""


class Queues(NamedTuple):
    """Of each parent: the slots that wait, from `first` to `last` (-1 if none), and the time of the newest that was first."""

    first: np.ndarray
    last: np.ndarray
    mark_ns: np.ndarray


class Came(NamedTuple):
    slot: np.ndarray
    parent: np.ndarray


class Slots(NamedTuple):
    time_ns: np.ndarray
    following: np.ndarray


@dataclass(slots=True)
class Waiting:
    """`kind` is by slot."""

    renaming: Renaming
    held: Held | None = None
    queues: Queues | None = None
    kind: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int8))

    def begin(self, inputs: Sequence[Data]) -> None:
        if self.held is None:
            parents = len(inputs)
            self.held = holder_of(inputs)
            self.queues = Queues(np.full(parents, -1), np.full(parents, -1), np.full(parents, UNSEEN))

    def take_in(self, inputs: Sequence[Data]) -> tuple[Came, np.ndarray]:
        """All that came, barriers after what they came with; and the cause of each."""
        came = Arrivals.held(inputs, self.held)
        barriers, parents = barriers_of(inputs)
        told = self.held.add(_alone(barriers, self.held)) if barriers else came.slot[:0]
        self.kind = grown(self.kind, len(heads_of(self.held).time_ns))
        self.kind[came.slot] = POINTS
        if barriers:
            self.kind[told] = np.where(barriers.forget, LAST_BARRIER, BARRIER)
        slot, parent = np.concatenate((came.slot, told)), np.concatenate((came.parent, parents))
        return Came(slot, parent), heads_of(self.held).cause[slot]

    def let_go(self, slot: np.ndarray, cause: np.ndarray) -> Data:
        """What these slots hold; barriers come last."""
        kind = self.kind[slot]
        rows = kind == POINTS
        out = replace(self.held.take(slot[rows]), cause=cause[rows])
        heads, told = heads_of(self.held), slot[~rows]
        barriers = Barriers(
            group=heads.group[told],
            time_ns=heads.time_ns[told],
            cause=cause[~rows],
            forget=kind[~rows] == LAST_BARRIER,
        )
        self.held.free(slot)
        return replace(out, barriers=barriers) if len(barriers) else out


@dataclass(frozen=True, slots=True, kw_only=True)
class Union:
    """All points of this node and others, unchanged.

    In:    points, or batches, of several parents.
    State: those that wait, a queue a parent; barriers wait among them.
    Out:   in the order of their times: what is not newer than the first that waits of any parent, or, of a parent of
           which none waits, than its last that came out; of one time, the others' first. Nothing before every parent
           gave one; all that waits, when the task closes.
    From:  Kapacitor's `union`.
    """

    KIND: ClassVar[str] = "union"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    others: tuple[NodeName, ...] = argument(nodes, "the other nodes", ())
    rename: str = option("rename", string, "", "the measurement of what comes out; each point's own if unset")

    def initial(self) -> Waiting:
        return Waiting(renaming=Renaming(self.rename))

    def keeps(self, state: Waiting) -> Ids:
        """The groups of which something waits."""
        heads = heads_of(state.held) if state.held is not None else RowStore()
        return heads.group[heads.slots()]

    def step(self, state: Waiting, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        inputs = [*inputs[1:], inputs[0]]
        state.begin(inputs)
        came, cause = state.take_in(inputs)
        heads = heads_of(state.held)
        slots = Slots(heads.time_ns, heads.next)
        slot, arrival = _passed(came, state.queues, slots, len(state.held), tick.closing)
        out = state.let_go(slot, np.append(cause, CLOSING_CAUSE)[arrival])
        return Step(state=state, out=self._renamed(out, state.renaming, keys))

    def _renamed(self, out: Data, renaming: Renaming, keys: Keys) -> Data:
        if not self.rename:
            return out
        if isinstance(out, Batches):
            out = out.with_rows(replace(out.rows, group=renaming.groups(out.rows.group, keys)))
        if out.barriers is not None:
            told = replace(out.barriers, group=renaming.groups(out.barriers.group, keys))
            out = replace(out, barriers=told)
        return replace(out, series=renaming.series(out.series, keys), group=renaming.groups(out.group, keys))


def _alone(barriers: Barriers, held: Held) -> Data:
    """Barriers as what a queue holds: points, or batches, that are never looked at."""
    none = np.full(len(barriers), -1, dtype=np.int32)
    if isinstance(held, HeldBatches):
        return Batches(
            tmax_ns=barriers.time_ns,
            series=none,
            group=barriers.group,
            cause=barriers.cause,
            start=np.zeros(len(barriers) + 1, dtype=np.int64),
            rows=empty_frame(),
        )
    return Frame(time_ns=barriers.time_ns, series=none, group=barriers.group, cause=barriers.cause, fields={})


@njit(cache=True, nogil=True)
def _passed(came, queues, slots, room, closing):
    """The slots that come out, and which arrival made each do so."""
    out = np.empty(room, dtype=np.int64)
    arrival = np.empty(room, dtype=np.int64)
    n = 0
    for i in range(len(came.slot)):
        _append(queues, slots, came.parent[i], came.slot[i])
        before, n = n, _ready(queues, slots, out, n, False)
        arrival[before:n] = i
    if closing:
        before, n = n, _ready(queues, slots, out, n, True)
        arrival[before:n] = -1
    return out[:n], arrival[:n]


@njit(cache=True, nogil=True)
def _append(queues, slots, parent, slot):
    slots.following[slot] = -1
    if queues.first[parent] < 0:
        queues.first[parent] = slot
    else:
        slots.following[queues.last[parent]] = slot
    queues.last[parent] = slot


@njit(cache=True, nogil=True)
def _ready(queues, slots, out, n, closing):
    before = -1
    while before != n:
        before = n
        mark, seen = _mark(queues, slots, closing)
        if not closing and not seen:
            return n
        for parent in range(len(queues.first)):
            slot = queues.first[parent]
            while slot >= 0 and slots.time_ns[slot] <= mark:
                out[n] = slot
                n += 1
                slot = slots.following[slot]
            queues.first[parent] = slot
    return n


@njit(cache=True, nogil=True)
def _mark(queues, slots, closing):
    """Up to which time may pass, and whether every parent gave one."""
    mark, seen = np.iinfo(np.int64).max, True
    for parent in range(len(queues.first)):
        waits = queues.first[parent] >= 0
        if waits:
            queues.mark_ns[parent] = slots.time_ns[queues.first[parent]]
        seen = seen and queues.mark_ns[parent] != UNSEEN
        if waits or (not closing and queues.mark_ns[parent] != UNSEEN):
            mark = min(mark, queues.mark_ns[parent])
    return mark, seen
