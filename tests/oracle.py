"""What must come out, computed from what went in by other means than the product's.

In:   a topic's raw records, read line by line with the standard library's json, and the producers' ledgers. A record here is
      its append time, its bytes and whether it says that it was sent again, so that one read inside a container is as
      good as one read at hand.
Out:  each second's count, late count, sum, mean, standard deviation, extremes by `statistics` and `math.fsum`, each id
      counted once; the same of what hosts measured, in windows of five seconds; the ids that the queue acknowledged.
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
    """One second of event time; `late` counts by the second of the append, `ids` names all that count."""

    count: int
    late: int
    ids: str
    sum: float
    mean: float
    standard_deviation: float
    min: float
    max: float


Raw: TypeAlias = tuple[int, bytes, bool]
"""A record's append time, ns since the epoch, its value, and whether its headers hold `repeated`."""
Appended: TypeAlias = tuple[int, dict]
"""An append time and an event; one that was sent again has a column `repeated` more."""


def raw_records(broker: Broker, topic: str) -> Iterator[Raw]:
    """All that the topic holds now."""
    position, ends = broker.begin_offsets(topic), broker.end_offsets(topic)
    while any(position[partition] < end for partition, end in ends.items()):
        for record in broker.read(topic, position, wait_s=1.0):
            position[record.partition] = record.offset + 1
            yield record.append_time_ns, record.value, any(name == "repeated" for name, _ in record.headers)


def events(raw: Iterable[Raw]) -> Iterator[Appended]:
    """Every line that is an object of this topic's producers, with its append time; garbage that a test put there is not."""
    for append_time_ns, value, is_repeated in raw:
        for line in value.splitlines():
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if event["producer"] != "bad":
                    yield append_time_ns, event | ({"repeated": True} if is_repeated else {})


def windows(appended: Iterable[Appended], *, lateness_s: int = 10) -> dict[int, Window]:
    """By the start of each second, ns since the epoch, of events with their append times."""
    timely, late = defaultdict(list), defaultdict(list)
    for at_ns, event, is_late in once(appended, lateness_s=lateness_s):
        (late if is_late else timely)[_second(at_ns)].append(event)
    return {start: _window(timely[start], late[start]) for start in sorted(timely.keys() | late.keys())}


WINDOW_S = 5
"""Of what hosts measured; a window begins every second."""


def host_windows(appended: Iterable[Appended], *, lateness_s: int = 10) -> dict[tuple[int, str], dict]:
    """What a row of `monitoring_windows` must say, by the window's start and host."""
    samples, late = defaultdict(list), defaultdict(list)
    for at_ns, event, is_late in once(appended, lateness_s=lateness_s):
        for back_s in range(WINDOW_S):
            window = (_second(at_ns) - back_s * NS, event["host"])
            (late if is_late else samples)[window].append(event)
    return {
        window: _host_window(window[0], samples[window], late[window])
        for window in sorted(samples.keys() | late.keys())
    }


def _host_window(start_ns: int, samples: list[dict], late: list[dict]) -> dict:
    return {
        "window_end_ns": start_ns + WINDOW_S * NS,
        "tumbling": start_ns // NS % WINDOW_S == 0,
        "count": len(samples),
        "late": len(late),
        "ids": runs(samples + late),
        **(_host_figures(samples) if samples else {}),
    }


def _host_figures(samples: list[dict]) -> dict[str, float]:
    busy = [each["us"] + each["sy"] for each in samples]
    free = [each["free"] for each in samples]
    return {
        "busy_mean": statistics.fmean(busy),
        "busy_standard_deviation": statistics.pstdev(busy),
        "busy_min": min(busy),
        "busy_max": max(busy),
        "waiting_mean": statistics.fmean(each["wa"] for each in samples),
        "free_mean": statistics.fmean(free),
        "free_min": min(free),
        "free_max": max(free),
        "buffers_mean": statistics.fmean(each["buff"] for each in samples),
        "cache_mean": statistics.fmean(each["cache"] for each in samples),
        "newest_event_ns": max(each["time_ns"] for each in samples),
    }


def same_host(expected: Mapping, row: Mapping) -> bool:
    """As `same`; a figure that is not expected must be empty."""
    return all(
        math.isclose(row[name], expected[name], rel_tol=1e-9, abs_tol=1e-9)
        if name in expected and name.endswith(("_mean", "_deviation"))
        else row[name] == expected.get(name)
        for name in row.keys() - {"window_start_ns", "host", "written_ns"}
    )


def once(appended: Iterable[Appended], *, lateness_s: int = 10) -> Iterator[tuple[int, dict, bool]]:
    """Each id once: the time at which it counts, its event, whether it is late.

    The one that is no repeat decides; it is on the topic once. If only repeats got there, one on time decides, and else
    it is late at the event's own time: when the first one was tried nobody knows.
    """
    by_id = defaultdict(list)
    for append_time_ns, event in appended:
        by_id[event["event_id"]].append((event["time_ns"] < append_time_ns - lateness_s * NS, append_time_ns, event))
    for of_id in by_id.values():
        is_late, append_time_ns, event = min(of_id, key=lambda each: ("repeated" in each[2], *each[:2]))
        counts_at_append = is_late and "repeated" not in event
        yield (append_time_ns if counts_at_append else event["time_ns"]), event, is_late


def _second(time_ns: int) -> int:
    return time_ns // NS * NS


def _window(timely: list[dict], late: list[dict]) -> Window:
    values = [event["value"] for event in timely]
    return Window(
        count=len(values),
        late=len(late),
        ids=runs(timely + late),
        sum=math.fsum(values),
        mean=statistics.fmean(values) if values else math.nan,
        standard_deviation=statistics.pstdev(values) if values else math.nan,
        min=min(values, default=math.nan),
        max=max(values, default=math.nan),
    )


def runs(counted: Iterable[Mapping]) -> str:
    """Their ids as a row says them."""
    found: list[tuple[str, int, int]] = []
    for producer, seq in sorted({(event["producer"], event["seq"]) for event in counted}):
        if found and found[-1][0] == producer and found[-1][2] == seq - 1:
            found[-1] = (producer, found[-1][1], seq)
        else:
            found.append((producer, seq, seq))
    return " ".join(f"{producer}:{first}-{last}" for producer, first, last in found)


def acknowledged(ledgers: Path, source: str) -> set[str]:
    """The ids of all events of a source that the queue acknowledged to their producers."""
    texts = [path.read_text() for path in ledgers.glob(f"{source}-*.ndjson")]
    lines = [
        line for text in texts for line in text[: text.rfind("\n") + 1].splitlines()
    ]  # a kill may cut the last one
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
    """In the sense of ARCHITECTURE.md: counts and extremes equal, sum and moments within 1e-9; late events alone give none."""
    counts = all(row[name] == getattr(window, name) for name in ("count", "late", "ids"))
    extremes, moments = ("min", "max"), ("sum", "mean", "standard_deviation")
    if not window.count:
        return counts and all(row[name] is None for name in (*extremes, *moments))
    near = all(math.isclose(row[name], getattr(window, name), rel_tol=1e-9, abs_tol=1e-9) for name in moments)
    return counts and near and all(row[name] == getattr(window, name) for name in extremes)


def wrong(stored: Mapping[int, Mapping], expected: Mapping[int, Window]) -> dict[int, tuple]:
    """The expected windows that a store lacks or has otherwise, each with what it has."""
    return {
        start_ns: (window, stored.get(start_ns))
        for start_ns, window in expected.items()
        if not (start_ns in stored and same(window, stored[start_ns]))
    }
