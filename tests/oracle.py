"""What must come out, computed from what went in by other means than the product's.

In:   a topic's raw records, read line by line with the standard library's json, and the producers' ledgers.
Out:  each second's count, late count, sum, mean, standard deviation, extremes by `statistics` and `math.fsum`; the ids
      that the queue acknowledged.
"""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline_queue.brokers import Broker, Record

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


def records(broker: Broker, topic: str) -> Iterator[Record]:
    """All that the topic holds now."""
    position, ends = broker.begin_offsets(topic), broker.end_offsets(topic)
    while any(position[partition] < end for partition, end in ends.items()):
        for record in broker.read(topic, position, wait_s=1.0):
            position[record.partition] = record.offset + 1
            yield record


def events(of_topic: Iterable[Record]) -> Iterator[tuple[Record, dict]]:
    """Every line that is an object, with its record."""
    for record in of_topic:
        for line in record.value.splitlines():
            yield record, json.loads(line)


def windows(of_topic: Iterable[Record], *, lateness_s: int = 10) -> dict[int, Window]:
    """By the start of each second, ns since the epoch."""
    values, late = defaultdict(list), defaultdict(int)
    for record, event in events(of_topic):
        if event["time_ns"] < record.append_time_ns - lateness_s * NS:
            late[_second(record.append_time_ns)] += 1
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
    found = set()
    for path in ledgers.glob(f"{source}-*.ndjson"):
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            if entry["what"] == "acknowledged":
                seqs = range(entry["first_seq"], entry["last_seq"] + 1)
                found.update(f"{entry['producer']}-{seq:012d}" for seq in seqs)
    return found
