"""Partial results as rows, as Spark hands them from the tasks that decode to those that write.

In:   what a task found: partials by window, how many events and dead letters it read.
Out:  rows of one schema, a row a partial and one that has no window: what was read, and the newest partial as a sample to
      look at; and Partials again from the rows of a window.
A measure keeps what its figures need and no more: a row lies in Spark's state as long as its window does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
from pipeline_output.tables import NS_PER_S

from pipeline_processing.partials import ByWindow, Partial
from pipeline_processing.runs import Runs
from pipeline_processing.sketch import Sketch
from pipeline_processing.summary import Summary
from pipeline_processing.windows import Measure, Windows

READ = ("on_time", "late", "dead")
"""What a task read, in its columns `read_…`."""
SAMPLE_LENGTH_MAX = 1000
NAME_SHOWN, RUNS_SHOWN = 40, 3
"""Of a sample's names so many characters, of the runs that it holds so many: the rest fits then."""
_ARROW = {
    "timestamp": pa.timestamp("us", tz="UTC"),
    "long": pa.int64(),
    "double": pa.float64(),
    "binary": pa.binary(),
    "boolean": pa.bool_(),
    "string": pa.string(),
}
_WHOLE = {
    "count": "long",
    "late": "long",
    "newest_event_ns": "long",
    "held": "binary",
    "elsewhere": "binary",
    "repeated": "boolean",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """How many events and dead letters a task read."""

    on_time: int
    late: int
    dead: int


def ddl(windows: Windows) -> str:
    """The schema of the rows, as Spark reads it."""
    return ", ".join(f"{name} {kind}" for name, kind in _columns(windows).items())


def of_partial(windows: Windows) -> tuple[str, ...]:
    """The columns that say what one partial is, without its window."""
    return (*_WHOLE, *_measured(windows))


def as_batch(found: ByWindow, read: Read, windows: Windows) -> pa.RecordBatch:
    rows: list[dict[str, Any]] = [
        {"window_start": start_ns // 1000, **({windows.group: group} if windows.group else {}), **_row(part, windows)}
        for (start_ns, group), parts in found.items()
        for part in parts
    ]
    rows.append({f"read_{name}": getattr(read, name) for name in READ} | {"sample": sample_of(found, windows)})
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in _columns(windows).items()])
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def partial_of(row: Mapping[str, Any], windows: Windows) -> Partial:
    return Partial(
        count=row["count"],
        late=row["late"],
        newest_event_ns=row["newest_event_ns"],
        summaries=tuple(_summary(row, measure) for measure in windows.measures) if row["count"] else (),
        held=Runs.from_bytes(row["held"]),
        elsewhere=Runs.from_bytes(row["elsewhere"]),
        repeated=row["repeated"],
    )


def sample_of(found: ByWindow, windows: Windows) -> str | None:
    """The partial of the newest window as JSON, in at most SAMPLE_LENGTH_MAX characters; a later one sorts behind."""
    if not found:
        return None
    (start_ns, group), (part, *_) = max(found.items(), key=lambda each: (each[1][0].count > 0, each[0]))
    shown = {
        "window_start": datetime.fromtimestamp(start_ns // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **({windows.group: group[:NAME_SHOWN]} if windows.group else {}),
        "count": part.count,
        "late": part.late,
        **_measures_shown(part, windows),
        "holds": _runs_shown(part.held),
    }
    return msgspec.json.encode(shown).decode()


def _columns(windows: Windows) -> Mapping[str, str]:
    """Names and Spark's types."""
    group = {windows.group: "string"} if windows.group else {}
    read = {f"read_{name}": "long" for name in READ} | {"sample": "string"}
    return {"window_start": "timestamp", **group, **read, **_WHOLE, **_measured(windows)}


def _measured(windows: Windows) -> Mapping[str, str]:
    return {
        measure.column(kept): "binary" if kept == "sketch" else "double"
        for measure in windows.measures
        for kept in measure.kept
    }


def _measures_shown(part: Partial, windows: Windows) -> Mapping[str, float]:
    """A sketch as the number of its buckets."""
    return {
        measure.column("buckets" if kept == "sketch" else kept): (
            len(summary.sketch.buckets) if kept == "sketch" else getattr(summary, kept)
        )
        for measure, summary in zip(windows.measures, part.summaries, strict=bool(part.count))
        for kept in measure.kept
    }


def _runs_shown(held: Runs) -> list[str]:
    runs = [
        f"{producer[:NAME_SHOWN]} {first}" + (f" to {last}" if last > first else "")
        for producer, of_producer in held.by_producer.items()
        for first, last in of_producer
    ]
    return runs[:RUNS_SHOWN] + ([f"{len(runs) - RUNS_SHOWN} more"] if len(runs) > RUNS_SHOWN else [])


def _row(part: Partial, windows: Windows) -> dict[str, Any]:
    row: dict[str, Any] = {
        "count": part.count,
        "late": part.late,
        "newest_event_ns": part.newest_event_ns,
        "held": part.held.to_bytes(),
        "elsewhere": part.elsewhere.to_bytes(),
        "repeated": part.repeated,
    }
    for measure, summary in zip(windows.measures, part.summaries, strict=bool(part.count)):
        row |= {measure.column(kept): _kept(summary, kept) for kept in measure.kept}
    return row


def _kept(summary: Summary, kept: str) -> float | bytes:
    value = getattr(summary, kept)
    return value.to_bytes() if isinstance(value, Sketch) else value


def _summary(row: Mapping[str, Any], measure: Measure) -> Summary:
    kept = {name: row[measure.column(name)] for name in measure.kept}
    return Summary(**(kept | ({"sketch": Sketch.from_bytes(kept["sketch"])} if "sketch" in kept else {})))
