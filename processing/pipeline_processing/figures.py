"""What a finished micro-batch says about itself.

In:   Spark's progress report of one query, as the JSON object that Spark gives, and how long it took.
Out:  a Batch: events in, late, dead, rows out, how far behind the queue's end, what retention took, the latency, and a
      sample of what it summed up.
Counts come from what the job observes (`read` before the state, `written` behind the store); a progress report of a
trigger without data has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Progress = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One report. `gap` counts records that the source announced and that were gone when they were read."""

    query: str
    number: int
    events: int = 0
    late: int = 0
    dead: int = 0
    rows: int = 0
    lag: int = 0
    gap: int = 0
    dropped: int = 0
    latency_s: float | None = None
    sample: str | None = None


def batch_of(progress: Progress) -> Batch:
    """The figures in a progress report."""
    source = progress["sources"][0]
    start, end, latest = (_offsets(source.get(name)) for name in ("startOffset", "endOffset", "latestOffset"))
    read, written = (progress.get("observedMetrics", {}).get(name) or {} for name in ("read", "written"))
    return Batch(
        query=progress["name"],
        number=progress["batchId"],
        events=_number(read, "on_time") + _number(read, "late"),
        late=_number(read, "late"),
        dead=_number(read, "dead"),
        rows=_number(written, "rows"),
        lag=_distance(end, latest),
        gap=max(0, _distance(start, end) - source["numInputRows"]) if start else 0,
        dropped=sum(state.get("numRowsDroppedByWatermark", 0) for state in progress.get("stateOperators", ())),
        latency_s=_latency_s(written),
        sample=read.get("sample"),
    )


def _offsets(reported: Any) -> dict[str, int]:
    """By partition. Kafka's connector reports {topic: {partition: offset}}, the embedded log {partition: offset}."""
    if not isinstance(reported, Mapping):
        return {}
    inner = next(iter(reported.values()), {})
    return dict(inner if isinstance(inner, Mapping) else reported)


def _distance(start: Mapping[str, int], end: Mapping[str, int]) -> int:
    return sum(max(0, offset - start.get(partition, 0)) for partition, offset in end.items())


def _number(observed: Mapping[str, Any], name: str) -> int:
    return observed.get(name) or 0


def _latency_s(written: Mapping[str, Any]) -> float | None:
    if not written.get("newest_event_ns") or not written.get("written_ns"):
        return None
    return (written["written_ns"] - written["newest_event_ns"]) / 1e9
