"""Several parents' points put beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from pipeline_processing.operators.arrivals import CLOSING_CAUSE, Arrivals, barriers_of, rounded
from pipeline_processing.operators.group_series import GroupSeries
from pipeline_processing.operators.held_batches import Held, HeldBatches, heads_of, holder_of
from pipeline_processing.operators.join_matching import Coarse, Matching, Slots
from pipeline_processing.operators.join_results import Fill, Naming, first_given, joined_rows
from pipeline_processing.operators.join_sets import (
    NONE,
    Collected,
    Joined,
    Sets,
    collect,
    forgotten,
    grown_sets,
    no_sets,
)
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import (
    Arguments,
    NodeName,
    a_number,
    argument,
    duration,
    flag,
    nodes,
    option,
    string,
    strings,
)
from pipeline_processing.operators.prefixes import check_prefixes
from pipeline_processing.operators.renaming import Renaming
from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.go_time import rounded_ns
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import grown


def fill_value(given: Arguments) -> Fill:
    if len(given) != 1:
        raise ValueError(f"takes 1 argument, got {len(given)}")
    if given[0] in {"none", "null"}:
        return given[0]
    if isinstance(given[0], str):
        raise ValueError(f"takes 'none', 'null' or a number, got '{given[0]}'")
    return a_number(given[0])


@dataclass(slots=True)
class Joining:
    """`uses` counts, for each slot, the sets and queues that have it."""

    renaming: Renaming
    coarse: Coarse
    held: Held | None = None
    matching: Matching | None = None
    sets: Sets = field(default_factory=no_sets)
    uses: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    known: GroupSeries = field(default_factory=GroupSeries)

    def take_in(self, inputs: Sequence[Data], keys: Keys) -> tuple[Collected, np.ndarray, np.ndarray]:
        """What goes into sets, the cause of each of it, and slots that may be free after."""
        if self.held is None:
            self.held = holder_of(inputs)
        came = Arrivals.held(inputs, self.held)
        heads = heads_of(self.held)
        self.uses = grown(self.uses, len(heads.time_ns))
        if self.matching is None:
            self.uses[came.slot] = 1
            return (
                Collected(came.slot, came.parent, came.group.astype(np.int64), came.time_ns),
                came.cause,
                came.slot[:0],
            )
        slots = Slots(heads.time_ns, heads.group, heads.next)
        found, parent, left = self.matching.found(came, slots, keys)
        self.uses[came.slot] += 1
        self.uses[left] -= 1
        np.add.at(self.uses, found.slot, 1)
        return Collected(found.slot, parent, found.group, heads.time_ns[found.slot]), came.cause[found.by], left

    def forget(self, groups: Ids, parents: int) -> None:
        """What is held of these groups never comes out."""
        if self.held is None:
            return
        given = forgotten(groups[groups < len(self.sets.first)], self.sets, parents)
        left = self.matching.forget(groups, heads_of(self.held).next) if self.matching else groups[:0]
        self.uses[left] -= 1
        self.let_go(given, left)

    def let_go(self, slot: np.ndarray, left: np.ndarray) -> None:
        """Free the slots that no set and no queue has any more."""
        given = slot[slot >= 0]
        np.subtract.at(self.uses, given, 1)
        candidates = np.unique(np.concatenate((given, left)))
        self.held.free(candidates[self.uses[candidates] == 0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One point for points of several parents that have a group and a time in common.

    In:      points, or batches, of several parents.
    State:   those that have not met all others.
    Out:     a point with the fields of all, each under its parent's name, and with the tags of the group; batches are met by
             their end, and their points by time within. It comes when the last of them does, if no older one waits; and, once
             every parent's newest point or barrier of the group is past a time, what lacks a point is filled, or dropped (a batch is
             emptied). When the task closes, all sets come out.
    Refuses: names that are not one a parent, are the same, empty, or have the delimiter in them.
    From:    Kapacitor's `join`.
    """

    KIND: ClassVar[str] = "join"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    others: tuple[NodeName, ...] = argument(nodes, "the other nodes", ())
    as_: tuple[str, ...] = option(
        "as", strings, (), "the names of this node and of the others, put before their fields'"
    )
    tolerance_ns: int = option("tolerance", duration, 0, "times are rounded to multiples of this, halves up")
    fill: Fill = option("fill", fill_value, "none", "in a point's place: none, 'null' or a number")
    on: tuple[str, ...] = option(
        "on", strings, (), "the tags that groups are matched by, where some have more than others"
    )
    delimiter: str = option("delimiter", string, ".", "stands between a node's name and a field's")
    stream_name: str = option("streamName", string, "", "the measurement of what comes out; the first node's if unset")
    delete_all: bool = option("deleteAll", flag, False, "a group that is deleted takes all others' times with it")

    def __post_init__(self) -> None:
        check_prefixes(self.as_, self.delimiter, wanted=1 + len(self.others), what="joined node")

    def initial(self) -> Joining:
        found = Joining(renaming=Renaming(self.stream_name), coarse=Coarse(self.on))
        if self.on:
            found.matching = Matching(found.coarse, len(self.as_))
        return found

    def step(self, state: Joining, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        collected, cause, left = state.take_in([rounded(each, self.tolerance_ns) for each in inputs], keys)
        parents = len(inputs)
        barriers, parent = barriers_of(inputs)
        if barriers is not None:
            collected, cause = self._told(collected, cause, barriers, parent)
        state.sets = grown_sets(state.sets, groups=len(keys.groups), parents=parents, more=len(collected.slot))
        joined = collect(state.sets, collected, parents, tick.closing)
        made = self._batches if isinstance(state.held, HeldBatches) else self._points
        out = made(state, joined, np.append(cause, CLOSING_CAUSE)[joined.by], keys)
        state.let_go(joined.slot, left)
        if barriers is not None:
            self.forget(state, barriers.forgotten())
            out = replace(out, barriers=replace(barriers, group=state.renaming.groups(barriers.group, keys)))
        return Step(state=state, out=out)

    def _told(
        self, collected: Collected, cause: np.ndarray, barriers: Barriers, parent: np.ndarray
    ) -> tuple[Collected, np.ndarray]:
        """What goes into sets, and after it the barriers; with the cause of each."""
        time_ns = rounded_ns(barriers.time_ns, self.tolerance_ns) if self.tolerance_ns else barriers.time_ns
        told = Collected(np.full(len(barriers), NONE), parent, barriers.group.astype(np.int64), time_ns)
        return Collected(*map(np.concatenate, zip(collected, told, strict=True))), np.append(cause, barriers.cause)

    def forget(self, state: Joining, groups: Ids) -> None:
        state.forget(groups, len(self.as_))
        if self.delete_all and len(groups) and state.matching:
            state.matching.forget_times()

    def _points(self, state: Joining, joined: Joined, cause: np.ndarray, keys: Keys) -> Frame:
        naming = self._naming()
        complete = np.flatnonzero((joined.slot >= 0).all(axis=1)) if naming.is_inner else slice(None)
        slot, cause = joined.slot[complete], cause[complete]
        like = first_given(slot)
        series, group = self._named(state, like, joined.group[complete], keys)
        return Frame(
            time_ns=joined.time_ns[complete],
            series=series,
            group=group,
            cause=cause,
            fields=naming.fields(state.held, slot, like),
        )

    def _batches(self, state: Joining, joined: Joined, cause: np.ndarray, keys: Keys) -> Batches:
        naming = self._naming()
        rows, time_ns, of_set, like = joined_rows(state.held, joined.slot, is_inner=naming.is_inner)
        series, group = self._named(state, first_given(joined.slot), joined.group, keys)
        return Batches(
            tmax_ns=joined.time_ns,
            series=series,
            group=group,
            cause=cause,
            start=np.searchsorted(of_set, np.arange(len(joined.slot) + 1)),
            rows=Frame(
                time_ns=time_ns,
                series=series[of_set],
                group=group[of_set],
                cause=cause[of_set],
                fields=naming.fields(state.held.rows, rows, like[of_set]),
            ),
        )

    def _naming(self) -> Naming:
        return Naming(prefixes=self.as_, delimiter=self.delimiter, fill=self.fill)

    def _named(self, state: Joining, like: np.ndarray, group: np.ndarray, keys: Keys) -> tuple[Ids, Ids]:
        """The series and groups of what comes out, where the first that was given is at `like`."""
        group = group.astype(np.int32)
        series = state.known.of(group, heads_of(state.held).series[like], keys)
        return state.renaming.series(series, keys), state.renaming.groups(group, keys)
