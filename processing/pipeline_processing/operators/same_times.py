"""A stream as batches: the points of a group that follow each other with one time are one, once another time follows.

In:    points in arrival order.
State: each group's points of its newest time.
Out:   batches; each has the time and the measurement of its first point. The last time of a group stays, even at the end.
From:  Kapacitor's InfluxQL functions, which work so on stream edges, hence one point behind.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline_processing.operators.group_series import GroupSeries
from pipeline_processing.operators.ring_windows import Rings, Rows, forgotten, grown_rings, no_rings, runs_of_time
from pipeline_processing.points.batches import Batches, no_batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Ids, Keys
from pipeline_processing.points.store import RowStore


@dataclass(slots=True)
class SameTimes:
    store: RowStore = field(default_factory=RowStore)
    rings: Rings = field(default_factory=no_rings)
    known: GroupSeries = field(default_factory=GroupSeries)

    def batches(self, points: Frame, keys: Keys) -> Batches:
        """Those that end with these points, in the order in which they do."""
        if len(points) == 0:
            return no_batches()
        slot = self.store.add(points)
        self.rings = grown_rings(self.rings, len(keys.groups))
        rows = Rows(points.group, points.time_ns, slot, self.store.time_ns, self.store.next)
        ended = runs_of_time(rows, self.rings)
        group = points.group[ended.row]
        held = self.store.take(ended.slots)
        self.store.free(ended.freed)
        return Batches(
            tmax_ns=ended.tmax_ns,
            series=self.known.of(group, held.series[ended.start[:-1]], keys),
            group=group,
            cause=points.cause[ended.row],
            start=ended.start,
            rows=held,
        )

    def forget(self, groups: Ids) -> None:
        """What these groups hold never comes out."""
        met = groups[groups < len(self.rings.size)]
        self.store.free(forgotten(met, self.rings, self.store.next))
