"""The table of an event type: which columns, of what kind, known by what key.

In:   a declaration (`EventType`).
Out:  an `EventTable` of the type's name. A row is known by client and event id: what a client repeats is one row, what
      another client calls the same is another.
Refuses: (TableUnfit) a type that is called as a table of the loader's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline_queue.service_events import EventType
from pipeline_queue.topics import Column, Topic

from pipeline_output.errors import TableUnfit

KEY = ("client", "event_id")
REQUIRED = (*KEY, "time_ns", "user_id", "timestamp")
"""Every event has them; a type's own fields may come and go, so that rows of another day lack them."""
OFFSETS, STAGING, FILES = "load_offsets", "load_staging", "load_files"
"""The loader's own tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTable:
    """Where the events of `topic` go, and as what."""

    name: str
    topic: Topic
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def event_table(of: type[EventType]) -> EventTable:
    """Raises TableUnfit."""
    if of.name in {OFFSETS, STAGING, FILES}:
        raise TableUnfit(of.name, "name", found="a table of the loader's own", wanted="any other")
    topic = of.topic()
    declared = {column.name: column for column in topic.columns}
    own = tuple(column.name for column in of.fields)
    return EventTable(name=of.name, topic=topic, columns=tuple(declared[name] for name in (*REQUIRED, *own)))


def event_tables(types: Iterable[type[EventType]]) -> tuple[EventTable, ...]:
    return tuple(event_table(each) for each in types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A column as the database has it: its `kind` in the database's own words."""

    kind: str
    is_demanded: bool
    """A row without a value for it is refused."""


def lacking(table: EventTable, there: dict[str, Found], key: tuple[str, ...], kinds: dict[str, str]) -> list[Column]:
    """The columns to add to a table that is there; raises TableUnfit where adding is not enough."""
    for column in table.columns:
        found = there.get(column.name)
        if found and found.kind != kinds[column.kind]:
            raise TableUnfit(table.name, column.name, found=found.kind, wanted=kinds[column.kind])
    if key != KEY:
        raise TableUnfit(table.name, "primary key", found=f"({', '.join(key)})", wanted=f"({', '.join(KEY)})")
    for name, found in there.items():
        if found.is_demanded and name not in table.names:
            raise TableUnfit(table.name, name, found="not null without a default", wanted="nullable, or with a default")
    return [column for column in table.columns if column.name not in there]
