"""The one kind of query that a recording can be made of.

In:      `select * from "db"."rp"."measurement" where time >= '2026-01-01T00:00:00Z' and time < now() - 5m`; names without special
         characters need no quotes, either bound may be left out, and a time may be an integer of ns.
Out:     whose points are chosen: of one database, retention policy and measurement, between two times; in the order in which
         they came, as tasks saw them, and not in that of their times.
Refuses: (Refused) whatever else InfluxQL has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pipeline_output.state.definitions import Dbrp
from pipeline_queue.points.block import PointBlock
from pipeline_queue.points.series_key import parts_of

from pipeline_processing.tasks.errors import Refused
from pipeline_processing.tasks.times import duration_ns, time_ns

NAME = r'(?:"((?:[^"\\]|\\.)+)"|(\w+))'
QUERY = re.compile(rf"\s*select\s+\*\s+from\s+{NAME}\.{NAME}\.{NAME}(?:\s+where\s+(.+?))?\s*;?\s*", re.I | re.S)
BOUND = re.compile(r"\s*time\s*(>=|>|<=|<|=)\s*(.+?)\s*", re.I | re.S)
NOW = re.compile(r"now\(\)(?:\s*([-+])\s*(\w+))?", re.I)
BEGINNING_NS, END_NS = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """From `start_ns` on until before `stop_ns`."""

    database: str
    retention_policy: str
    measurement: str
    start_ns: int = BEGINNING_NS
    stop_ns: int = END_NS

    @property
    def dbrp(self) -> Dbrp:
        return self.database, self.retention_policy

    def of(self, blocks: Iterable[PointBlock]) -> Iterator[PointBlock]:
        """The points that are chosen, in the order in which they came."""
        for block in blocks:
            if (block.database, block.retention_policy) == self.dbrp:
                chosen = self._chosen(block.batch)
                if chosen.num_rows:
                    yield PointBlock(block.database, block.retention_policy, chosen)

    def _chosen(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        time, series = batch.column(0).to_numpy(zero_copy_only=False), batch.column(1)
        named = np.array([parts_of(key)[0] == self.measurement for key in series.dictionary.to_pylist()], dtype=bool)
        mask = named[series.indices.to_numpy(zero_copy_only=False)] & (time >= self.start_ns) & (time < self.stop_ns)
        return batch if mask.all() else batch.filter(pa.array(mask))


def selected(query: str, now_ns: int) -> Selection:
    """Raises Refused."""
    found = QUERY.fullmatch(query)
    if not found:
        raise Refused(
            f"`{query.strip()}` is no query that is recorded here; one is `select * from db.rp.measurement where time >= "
            "'2026-01-01T00:00:00Z' and time < now()`"
        )
    *quoted, bounds = found.groups()
    names = [
        re.sub(r"\\(.)", r"\1", each) if each else plain for each, plain in zip(quoted[::2], quoted[1::2], strict=True)
    ]
    start_ns, stop_ns = BEGINNING_NS, END_NS
    for bound in re.split(r"\s+and\s+", bounds, flags=re.I) if bounds else ():
        low, high = _bound(bound, now_ns)
        start_ns, stop_ns = max(start_ns, low), min(stop_ns, high)
    return Selection(
        database=names[0], retention_policy=names[1], measurement=names[2], start_ns=start_ns, stop_ns=stop_ns
    )


def _bound(text: str, now_ns: int) -> tuple[int, int]:
    found = BOUND.fullmatch(text)
    if not found:
        raise Refused(
            f"`{text.strip()}` is no bound of the time, such as time >= '2026-01-01T00:00:00Z'; only those are known"
        )
    sign, at_ns = found[1], _time(found[2], now_ns)
    return {
        ">=": (at_ns, END_NS),
        ">": (at_ns + 1, END_NS),
        "<": (BEGINNING_NS, at_ns),
        "<=": (BEGINNING_NS, at_ns + 1),
        "=": (at_ns, at_ns + 1),
    }[sign]


def _time(text: str, now_ns: int) -> int:
    try:
        if re.fullmatch(r"-?\d+", text):
            return int(text)
        if now := NOW.fullmatch(text):
            moved_ns = duration_ns(now[2]) if now[2] else 0
            return now_ns - moved_ns if now[1] == "-" else now_ns + moved_ns
        if re.fullmatch(r"'[^']*'", text):
            return time_ns(text[1:-1]) or 0
    except ValueError as error:
        raise Refused(str(error)) from None
    raise Refused(f"`{text}` is no time: '2026-01-01T00:00:00Z', an integer of ns, or now() - 5m")
