"""What a load would load, without loading it.

In:   a broker, and how far the database is.
Out:  of each table how many events and dead letters wait. Nothing is written, made or buried; what the database itself would
      refuse shows only when it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline_queue.brokers import Broker
from pipeline_queue.codec import decode

from pipeline_output.loader.database import Progress
from pipeline_output.loader.event_table import EventTable
from pipeline_output.loader.reading import read_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    type: str
    events: int
    dead: int
    gone: int


def rehearse(broker: Broker, table: EventTable, progress: Iterable[Progress]) -> Rehearsed:
    """Reads all that waits."""
    known: Mapping[int, Progress] = {each.partition: each for each in progress if each.topic == table.topic.name}
    events, dead, gone, has_more = 0, 0, 0, table.topic.name in broker.topics()
    while has_more:
        reading = read_on(broker, table.topic, known)
        for record in reading.records:
            decoded = decode(table.topic, record)
            events += len(decoded.events)
            dead += len(decoded.dead)
        gone += sum(reading.gone.values())
        known = {
            partition: Progress(topic=table.topic.name, partition=partition, next_offset=offset)
            for partition, offset in reading.nexts.items()
        }
        has_more = reading.has_more
    return Rehearsed(type=table.name, events=events, dead=dead, gone=gone)
