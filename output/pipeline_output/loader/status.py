"""How each type stands: what waits on the queue, since when, and what was loaded.

In:   a broker to ask, and the database's progress.
Out:  a `Status` a table. The commands, the metrics and the schedule read the same one.
A message holds one event or a block of them. What waits is counted in a look at the first LOOK_RECORDS messages of each
partition, so it is exact up to there, and beyond in proportion; nothing is read but these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline_queue.brokers import Broker, Record
from pipeline_queue.errors import OffsetGone, UnknownTopic
from pipeline_queue.topics import Topic

from pipeline_output.loader.database import Progress
from pipeline_output.loader.event_table import EventTable

LOOK_RECORDS = 100
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """`lag_s` is how long the oldest event waits; `loaded_at_ns` is 0 where nothing was ever loaded; `reached` is the offset
    that is loaded next, by partition."""

    type: str
    lag_events: int
    lag_s: float
    loaded_at_ns: int
    events: int
    dead: int
    gone: int
    reached: Mapping[int, int]


def statuses(broker: Broker, tables: Iterable[EventTable], progress: Iterable[Progress], now_ns: int) -> list[Status]:
    """In the order of the tables."""
    by_topic: dict[str, dict[int, Progress]] = {}
    for each in progress:
        by_topic.setdefault(each.topic, {})[each.partition] = each
    return [_status(broker, table, by_topic.get(table.topic.name, {}), now_ns) for table in tables]


def _status(broker: Broker, table: EventTable, progress: Mapping[int, Progress], now_ns: int) -> Status:
    waiting = _waiting(broker, table.topic, progress)
    oldest_ns = min((each.oldest_ns for each in waiting), default=now_ns)
    return Status(
        type=table.name,
        lag_events=sum(each.events for each in waiting),
        lag_s=max(0.0, (now_ns - oldest_ns) / NS_PER_S),
        loaded_at_ns=max((each.loaded_at_ns for each in progress.values()), default=0),
        events=sum(each.events for each in progress.values()),
        dead=sum(each.dead for each in progress.values()),
        gone=sum(each.gone for each in progress.values()),
        reached={partition: each.next_offset for partition, each in sorted(progress.items())},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """What waits in one partition."""

    events: int
    oldest_ns: int


def _waiting(broker: Broker, topic: Topic, progress: Mapping[int, Progress]) -> list[_Waiting]:
    """A topic that is not there has nothing that waits."""
    try:
        begins, ends = broker.begin_offsets(topic.name), broker.end_offsets(topic.name)
        return [
            _look(broker.read(topic.name, {partition: start}, limit=LOOK_RECORDS), end - start)
            for partition, end in ends.items()
            if (start := _start(progress.get(partition), begins[partition], end)) < end
        ]
    except UnknownTopic:
        return []
    except OffsetGone:  # retention was faster than these questions
        return _waiting(broker, topic, progress)


def _start(known: Progress | None, begin: int, end: int) -> int:
    return begin if known is None or not begin <= known.next_offset <= end else known.next_offset


def _look(first: Sequence[Record], records: int) -> _Waiting:
    if not first:  # the broker is slow to hand them over: there is at least one event a message
        return _Waiting(events=records, oldest_ns=2**63 - 1)
    seen = sum(_lines(record) for record in first)
    return _Waiting(events=round(seen * records / len(first)), oldest_ns=first[0].append_time_ns)


def _lines(record: Record) -> int:
    return record.value.count(b"\n") + (not record.value.endswith(b"\n"))
