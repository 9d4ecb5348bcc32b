"""What the loader's tests share: a type with an integer and a string, its events on a queue, and its table read back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from pipeline_output.loader import open_database
from pipeline_output.loader.event_table import EventTable, event_table
from pipeline_output.loader.turn import Loaded, Loading, take_turn
from pipeline_queue.brokers import Broker, Message
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import blocks
from pipeline_queue.events import Event, event_type
from pipeline_queue.service_events import EventType
from pipeline_queue.topics import DEAD_LETTERS, Column

NOW_NS = 1_700_000_000_000_000_000


class Note(EventType):
    name = "note"
    doc = "A law's own"
    fields = (
        Column(name="size", kind="int64", doc="a word of SQL, as many are"),
        Column(name="order", kind="string", doc="and one more"),
    )


NOTE = event_table(Note)


def note(seq: int, **values: Any) -> Event:
    return event(NOTE, seq, **{"size": seq, "order": "x"} | values)


def event(table: EventTable, seq: int, **values: Any) -> Event:
    """One with these fields; what every event has depends on `seq`."""
    given = {"client": "a", "event_id": f"p-{seq:012d}", "producer": "p", "user_id": 1, "timestamp": seq}
    return event_type(table.topic)(**given | {"time_ns": NOW_NS, "seq": seq} | values)


def stored(event: Event, table: EventTable = NOTE) -> tuple[Any, ...]:
    return tuple(getattr(event, name) for name in table.names)


class Queue:
    """Topics in memory whose time stands still; brokers of one queue share its log, also between threads."""

    def __init__(self, tables: Sequence[EventTable] = (NOTE,)) -> None:
        self.log, self.clock = MemoryLog(), ManualClock(NOW_NS)
        self.broker().create([*(table.topic for table in tables), DEAD_LETTERS])

    def broker(self) -> MemoryBroker:
        return MemoryBroker(self.log, clock=self.clock)

    def publish(self, events: Iterable[Event], *, table: EventTable = NOTE, events_max: int = 10_000) -> None:
        self.broker().publish(table.topic.name, blocks(table.topic, events, events_max=events_max))

    def publish_lines(self, *lines: bytes) -> None:
        self.broker().publish(NOTE.topic.name, [Message(key=b"p", value=b"\n".join(lines))])


def opened(broker: Broker, url: str, tables: Sequence[EventTable] = (NOTE,), **given: Any) -> Loading:
    """With its tables prepared."""
    database = open_database(url)
    database.prepare(tables)
    return Loading(broker=broker, database=database, clock=ManualClock(NOW_NS), **{"chunk_rows": 10_000} | given)


def load(feed: Queue, url: str, table: EventTable = NOTE, **given: Any) -> list[Loaded]:
    """Turns until there is no more, of a loader that was opened for it."""
    with closing(opened(feed.broker(), url, [table], **given)) as loading:
        turns = [take_turn(loading, table)]
        while turns[-1] is not None and turns[-1].has_more:
            turns.append(take_turn(loading, table))
    return [turn for turn in turns if turn is not None]


def rows(url: str, table: EventTable = NOTE) -> list[tuple[Any, ...]]:
    """By client and event id, in the order of code points."""
    if url.startswith("parquet") and not [*Path(url.removeprefix("parquet://"), table.name).glob("*.parquet")]:
        return []
    names = ", ".join(f'"{name}"' for name in table.names)
    return sorted(ask(url, f'select {names} from "{table.name}"'), key=lambda row: row[:2])


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run it, in a connection of its own; the rows, where there are some."""
    if url.startswith("parquet"):
        return ask_files(Path(url.removeprefix("parquet://")), statement)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None)) as file:
            return file.execute(statement).fetchall()
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def ask_files(folder: Path, statement: str) -> list[tuple[Any, ...]]:
    """A folder's files as one table, by DuckDB."""
    with duckdb.connect() as connection:
        for of in {path.parent for path in folder.glob("*/*.parquet")}:
            files = f"read_parquet('{of}/*.parquet', union_by_name = true)"
            connection.execute(f'create view "{of.name}" as select * from {files}')
        return connection.execute(statement).fetchall()
