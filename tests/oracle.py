"""What must come out, computed from what went in by other means than the product's.

In:   a topic's raw records, read line by line with the standard library's json, and the producers' ledgers. A record here is
      its append time and its bytes, so that one read inside a container is as good as one read at hand.
Out:  each second's count, late count, sum, mean, standard deviation, extremes by `statistics` and `math.fsum`; the ids
      that the queue acknowledged.
"""

from __future__ import annotations

import contextlib
import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pipeline_queue.brokers import Broker

NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One second of event time; `late` counts by the second of the append."""

    count: int
    late: int
    sum: float
    mean: float
    standard_deviation: float
    min: float
    max: float


Raw: TypeAlias = tuple[int, bytes]
"""A record's append time, ns since the epoch, and its value."""


def raw_records(broker: Broker, topic: str) -> Iterator[Raw]:
    """All that the topic holds now."""
    position, ends = broker.begin_offsets(topic), broker.end_offsets(topic)
    while any(position[partition] < end for partition, end in ends.items()):
        for record in broker.read(topic, position, wait_s=1.0):
            position[record.partition] = record.offset + 1
            yield record.append_time_ns, record.value


def events(raw: Iterable[Raw]) -> Iterator[tuple[int, dict]]:
    """Every line that is an object of this topic's producers, with its append time; garbage that a test put there is not."""
    for append_time_ns, value in raw:
        for line in value.splitlines():
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if event["producer"] != "bad":
                    yield append_time_ns, event


def windows(appended: Iterable[tuple[int, dict]], *, lateness_s: int = 10) -> dict[int, Window]:
    """By the start of each second, ns since the epoch, of events with their append times."""
    values, late = defaultdict(list), defaultdict(int)
    for append_time_ns, event in appended:
        if event["time_ns"] < append_time_ns - lateness_s * NS:
            late[_second(append_time_ns)] += 1
        else:
            values[_second(event["time_ns"])].append(event["value"])
    return {start: _window(values.get(start, []), late.get(start, 0)) for start in sorted(values.keys() | late.keys())}


def _second(time_ns: int) -> int:
    return time_ns // NS * NS


def _window(values: list[float], late: int) -> Window:
    return Window(
        count=len(values),
        late=late,
        sum=math.fsum(values),
        mean=statistics.fmean(values) if values else math.nan,
        standard_deviation=statistics.pstdev(values) if values else math.nan,
        min=min(values, default=math.nan),
        max=max(values, default=math.nan),
    )


def acknowledged(ledgers: Path, source: str) -> set[str]:
    """The ids of all events of a source that the queue acknowledged to their producers."""
    lines = [line for path in ledgers.glob(f"{source}-*.ndjson") for line in path.read_text().splitlines()]
    return ids(map(json.loads, lines), "acknowledged")


def ids(entries: Iterable[Mapping], what: str) -> set[str]:
    """The event ids of a ledger's entries of that kind."""
    return {
        f"{entry['producer']}-{seq:012d}"
        for entry in entries
        if entry["what"] == what
        for seq in range(entry["first_seq"], entry["last_seq"] + 1)
    }


def same(window: Window, row: Mapping[str, float]) -> bool:
    """In the sense of ARCHITECTURE.md: counts and extremes equal, sum and moments within 1e-9."""
    exact = all(row[name] == getattr(window, name) for name in ("count", "late", "min", "max"))
    near = ("sum", "mean", "standard_deviation")
    return exact and all(math.isclose(row[name], getattr(window, name), rel_tol=1e-9, abs_tol=1e-9) for name in near)
