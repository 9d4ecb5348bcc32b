"""The rows of the stores that hold an event: windows by the ids that they name, the census by its keys.

In:   an event, and stores by their names.
Out:  for each such row where it is, which job computed it, and when: a window's row says when it was computed last, one of the
      census when the run began that computed it.
An event about people is in the row of its year, sex and age, and in the mean ages of its sex and of all; one about households is in
the rows of its state and its region.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline_queue.events import Event
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION

if TYPE_CHECKING:
    from pipeline_output.stores import Store

NS_PER_S = 1_000_000_000
EARLIER_NS = 60 * NS_PER_S
"""A window begins so long before its events at most; one that counts a late event begins after it."""
WINDOWS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A row, in words, and the computing that it is of; `written_ns` as the row says it, and how the store had it by then."""

    store: str
    table: str
    row: str
    job: str
    computed: str
    stored: str
    written_ns: int


def is_of_the_census(event: Event) -> bool:
    return event.producer.startswith((CENSUS_POPULATION.name, CENSUS_INCOME.name))


def rows_that_hold(event: Event, stores: Mapping[str, Store]) -> Iterator[Held]:
    """By store, then by time. Raises OutputError."""
    found = _of_the_census if is_of_the_census(event) else _of_windows
    for name, store in stores.items():
        yield from found(event, name, store)


def clock(time_ns: int) -> str:
    """Local time, to the millisecond."""
    return datetime.fromtimestamp(time_ns / 1e9).strftime("%H:%M:%S.%f")[:-3]


def _of_windows(event: Event, name: str, store: Store) -> Iterator[Held]:
    from pipeline_output.audit import AUDITED, holds

    for audited in AUDITED:
        if not event.producer.startswith(audited.source):
            continue
        rows = store.read(audited.table, event.time_ns - EARLIER_NS, limit=WINDOWS_MAX).to_pylist()
        for row in (row for row in rows if holds(row, event.producer, event.seq)):
            span = f"window {clock(row['window_start_ns'])} to {clock(row['window_end_ns'])}"
            yield Held(
                store=name,
                table=audited.table.name,
                row=f"{span} with {row['count']:,} events",
                job=audited.source,
                computed=f"{span}, computed last",
                stored="as soon as it was computed",
                written_ns=row["written_ns"],
            )


def _of_the_census(event: Event, name: str, store: Store) -> Iterator[Held]:
    from pipeline_output.tables import TABLES

    for table, keys in _census_keys(event).items():
        for row in store.read(TABLES[table]).to_pylist():
            if any(key.items() <= row.items() for key in keys):
                words = [str(row[column]) for column in keys[0]]
                yield Held(
                    store=name,
                    table=table,
                    row=", ".join(words),
                    job="census",
                    computed="its run began",
                    stored="after its run began",
                    written_ns=row["written_ns"],
                )


def _census_keys(event: Any) -> Mapping[str, list[Mapping[str, Any]]]:
    """By table, the columns by which its rows are known."""
    year = {"year": event.year}
    if event.producer.startswith(CENSUS_POPULATION.name):
        return {
            "census_population": [year | {"sex": event.sex, "age": event.age}],
            "census_age": [year | {"sex": sex} for sex in (event.sex, "all")],
        }
    places = [("state", event.state), ("region", event.region)]
    return {"census_income": [year | {"kind": kind, "place": place} for kind, place in places]}
