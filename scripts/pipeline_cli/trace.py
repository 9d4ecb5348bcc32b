"""`pipeline trace ID`: one event through the five stages, each with its time.

In:   an event's id, the ledgers, the topics, the tables whose rows say which events they hold.
Out:  a line for each place where the event was: made, acknowledged, on the queue (more than once if it was sent again), in each
      window that a job computed, in each row of each store; and how long after their making the display read events then,
      by its own heartbeat, of what it reads as it comes.
What a place does not say exactly is an estimate, and called one: a row says when it was computed and not when its store had it, a
heartbeat says a median. The ledger's minute is where the topic is searched, so that a day of events is not read for one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from pipeline_queue.brokers import Broker
from pipeline_queue.codec import decode
from pipeline_queue.events import Event
from pipeline_queue.ledger import GROWS_NS, Entry, read_ledgers
from pipeline_queue.topics import HEARTBEATS, TOPICS, Topic
from rich.console import Console
from rich.table import Table

from pipeline_cli.errors import NoEventId, UnknownEvent
from pipeline_cli.held_rows import Held, clock, is_of_the_census, rows_that_hold
from pipeline_cli.where import ledger_folder, open_queue, open_stores

NS_PER_S = 1_000_000_000
CATCH_UP_NS = 900 * NS_PER_S
"""A producer may be acknowledged so long after it made an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The event at one place; `time_ns` is when it was there first, as far as that place says; else about then."""

    stage: str
    where: str
    time_ns: int
    is_estimate: bool = False


def trace(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="An event's id.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each place.")] = False,
) -> None:
    """Follow one event from its making to the rows that hold it."""
    found = sightings(event_id)
    if as_json:
        for each in found:
            print(json.dumps(asdict(each)))
    else:
        Console().print(_table(found))


def sightings(event_id: str) -> list[Sighting]:
    """Everywhere that the event was, in order; raises NoEventId, UnknownEvent."""
    producer, _, number = event_id.rpartition("-")
    if not producer or not number.isdigit():
        raise NoEventId(event_id)
    seq = int(number)
    noted = [each for each in read_ledgers(ledger_folder()) if _is_of(each, producer, seq)]
    with closing(open_queue()) as broker:
        event, queued = _on_the_queue(broker, (producer, seq), noted)
        followed = list(_behind_the_queue(broker, event)) if event is not None else []
    found = [*_of_ledger(noted, event), *queued, *followed]
    if not found:
        raise UnknownEvent(event_id)
    return found


def _is_of(entry: Entry, producer: str, seq: int) -> bool:
    return entry.producer == producer and entry.first_seq <= seq <= entry.last_seq


def _of_ledger(noted: Iterable[Entry], event: Event | None) -> Iterator[Sighting]:
    if event is not None:
        yield Sighting(stage="input", where=f"made by {event.producer}", time_ns=event.time_ns)
    for entry in noted:
        where = f"ledger: {entry.what}; its run of {entry.count:,} up to {entry.last_seq:,} last grew"
        yield Sighting(stage="input", where=where, time_ns=entry.time_ns)


def _on_the_queue(broker: Broker, wanted: tuple[str, int], noted: list[Entry]) -> tuple[Event | None, list[Sighting]]:
    topic = next((each for each in TOPICS.values() if wanted[0].startswith(each.name)), None)
    if topic is None:
        return None, []
    since_ns = min((entry.time_ns for entry in noted), default=0) - 2 * GROWS_NS
    until_ns = max((entry.time_ns for entry in noted), default=1 << 62) + CATCH_UP_NS
    return _searched(broker, topic, wanted, (max(0, since_ns), until_ns))


def _searched(
    broker: Broker, topic: Topic, wanted: tuple[str, int], between_ns: tuple[int, int]
) -> tuple[Event | None, list[Sighting]]:
    """The event, and a sighting for each record that holds it."""
    left, ends = broker.offsets_at(topic.name, between_ns[0]), broker.offsets_at(topic.name, between_ns[1])
    found, seen = None, []
    while left := {partition: offset for partition, offset in left.items() if offset < ends[partition]}:
        for record in broker.read(topic.name, left, wait_s=1.0):
            left[record.partition] = record.offset + 1
            for event in decode(topic, record).events:
                if (event.producer, event.seq) == wanted:
                    found = event
                    where = f"{topic.name}, partition {record.partition}, offset {record.offset:,}"
                    seen.append(Sighting(stage="queue", where=where, time_ns=record.append_time_ns))
    return found, seen


def _behind_the_queue(broker: Broker, event: Event) -> Iterator[Sighting]:
    with open_stores() as stores:
        held = list(rows_that_hold(event, stores))
    yield from _computed(held)
    yield from _stored(held)
    if not is_of_the_census(event):
        yield from _by_the_display(broker, event)


def _computed(held: Iterable[Held]) -> Iterator[Sighting]:
    """One for each window, or for the run: stores that have different versions of it tell the newest."""
    newest_ns: dict[tuple[str, str], int] = {}
    for each in held:
        newest_ns[each.job, each.computed] = max(each.written_ns, newest_ns.get((each.job, each.computed), 0))
    for (job, what), time_ns in newest_ns.items():
        yield Sighting(stage="processing", where=f"job {job}: {what}", time_ns=time_ns)


def _stored(held: Iterable[Held]) -> Iterator[Sighting]:
    for each in held:
        where = f"{each.store}: {each.table}, {each.row}; estimate: {each.stored}"
        yield Sighting(stage="output", where=where, time_ns=each.written_ns, is_estimate=True)


def _by_the_display(broker: Broker, event: Event) -> Iterator[Sighting]:
    """Its next heartbeat tells the median of what it read in that second."""
    left, ends = broker.offsets_at(HEARTBEATS.name, event.time_ns), broker.end_offsets(HEARTBEATS.name)
    while left := {partition: offset for partition, offset in left.items() if offset < ends[partition]}:
        for record in broker.read(HEARTBEATS.name, left, wait_s=1.0):
            left[record.partition] = record.offset + 1
            for beat in decode(HEARTBEATS, record).events:
                if beat.stage == "display" and beat.latency_s:
                    where = "read by the display; estimate: the median of its next heartbeat"
                    time_ns = event.time_ns + round(beat.latency_s * 1e9)
                    yield Sighting(stage="display", where=where, time_ns=time_ns, is_estimate=True)
                    return


def _table(found: list[Sighting]) -> Table:
    table = Table("stage", "where", "local time", box=None)
    table.add_column("after", justify="right")
    made_ns = found[0].time_ns
    for each in found:
        after = f"{'about ' * each.is_estimate}{round((each.time_ns - made_ns) / 1e9, 3) + 0:.3f} s"
        table.add_row(each.stage, each.where, clock(each.time_ns), after)
    return table
