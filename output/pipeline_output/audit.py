"""The auditor: what producers say that they made, against what lies in the stores, event by event.

In:   the producers' ledgers, and rows of tables whose column `ids` says which events a row holds. Nothing else: no counter of
      a part that is audited.
Out:  for each source and store an Account.
A row of a window says both how many events it counted and which they were; neither alone is believed. An event that two rows
hold, or that a row counted beyond those that it holds, is twice; one that a row holds and did not count is lost.
Each producer's events reach a store in their order. So what a store lacks below the newest event that it has of a
producer is lost, and what it lacks beyond is on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pipeline_queue.ledger import Entry, read_ledgers
from pipeline_queue.runs import Run, Runs, joined, of_text, size, up_to_newest, without

from pipeline_output.stores import Store
from pipeline_output.tables import MONITORING_WINDOWS, NS_PER_S, RANDOM_NUMBERS_WINDOWS, Table

Row: TypeAlias = Mapping[str, Any]
ROWS_MAX = 10_000_000
"""Four months of windows of one second."""
EARLIER_S = 900
"""A ledger's entry begins up to a minute before its time, and a producer catches up on ten minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A source and the table in which each of its events must be once. `counts` tells the rows that count, if not all do."""

    source: str
    table: Table
    counts: str = ""


AUDITED = (
    Audited(source="random-numbers", table=RANDOM_NUMBERS_WINDOWS),
    Audited(source="monitoring", table=MONITORING_WINDOWS, counts="tumbling"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the ledgers say of a source."""

    made: Runs
    acknowledged: Runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a store's rows say: the events that they hold, and how many of them are late, are there twice, or not counted."""

    held: Runs
    late: int
    twice: int
    uncounted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All numbers are events; `missing` names the first that are lost."""

    source: str
    store: str
    made: int
    acknowledged: int
    stored: int
    late: int
    on_the_way: int
    lost: int
    twice: int
    missing: str = ""


def accounts(folder: Path, stores: Mapping[str, Store], since_ns: int) -> Iterator[Account]:
    """One for each source and store, of the events that were acknowledged since then. Raises OutputError."""
    for audited in AUDITED:
        noted = books(read_ledgers(folder, since_ns), audited.source)
        for name, store in stores.items():
            rows = store.read(audited.table, since_ns - EARLIER_S * NS_PER_S, limit=ROWS_MAX).to_pylist()
            yield account(audited.source, name, noted, kept(rows, audited.counts))


def books(entries: Iterable[Entry], source: str) -> Books:
    """The entries of a source's producers as sets."""
    of_source = re.compile(rf"{re.escape(source)}-[0-9a-f]{{8}}")
    mine = [entry for entry in entries if of_source.fullmatch(entry.producer)]
    return Books(made=_of(mine, "made"), acknowledged=_of(mine, "acknowledged"))


def kept(rows: Iterable[Row], counts: str = "") -> Kept:
    """What the rows hold and count."""
    relevant = [row for row in rows if not counts or row[counts]]
    held, shared = joined(run for row in relevant for run in of_text(row["ids"]))
    beyond = [row["count"] + row["late"] - _size(row["ids"]) for row in relevant]
    return Kept(
        held=held,
        late=sum(row["late"] for row in relevant),
        twice=shared + sum(each for each in beyond if each > 0),
        uncounted=-sum(each for each in beyond if each < 0),
    )


def holds(row: Row, producer: str, seq: int) -> bool:
    """Whether the row holds that event."""
    return any(name == producer and first <= seq <= last for name, (first, last) in of_text(row["ids"]))


def account(source: str, store: str, noted: Books, found: Kept) -> Account:
    """The comparison."""
    settled, beyond = up_to_newest(without(noted.acknowledged, found.held), found.held)
    return Account(
        source=source,
        store=store,
        made=size(noted.made),
        acknowledged=size(noted.acknowledged),
        stored=size(noted.acknowledged) - size(settled) - size(beyond),
        late=found.late,
        on_the_way=size(beyond),
        lost=size(settled) + found.uncounted,
        twice=found.twice,
        missing=", ".join(f"{producer}:{first}-{last}" for producer, (first, last) in _first(settled)),
    )


def _size(text: str) -> int:
    return sum(last - first + 1 for _, (first, last) in of_text(text))


def _of(entries: Iterable[Entry], what: str) -> Runs:
    return joined((entry.producer, (entry.first_seq, entry.last_seq)) for entry in entries if entry.what == what)[0]


def _first(runs: Runs, at_most: int = 5) -> list[tuple[str, Run]]:
    return [(producer, run) for producer, of_producer in runs.items() for run in of_producer][:at_most]
