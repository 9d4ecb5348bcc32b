"""The auditor: what producers say that they made, against what lies in the stores, event by event.

In:   the producers' ledgers, and the stores' rows: of windows, whose column `ids` says which events a row holds, and of the
      census. Nothing else: no counter of a part that is audited.
Out:  for each source and store an Account.
A row of a window says both how many events it counted and which they were; neither alone is believed. An event that two rows
hold, or that a row counted beyond those that it holds, is twice; one that a row holds and did not count is lost.
Each producer's events reach a store in their order. So what a store lacks below the newest event that it has of a
producer is lost, and what it lacks beyond is on the way.

The people of the census have no `ids`: each event is a row of its own, so rows are counted, since ever. Its job reads all that was
acknowledged before a run began, and writes `last` last: what a store then lacks is lost, and before that it is on the way.
The incomes are not audited: a row of them does not say which of a state's groups it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow.compute as pc
from pipeline_queue.ledger import Entry, read_ledgers
from pipeline_queue.runs import Run, Runs, joined, of_text, size, up_to_newest, without

from pipeline_output.stores import Store
from pipeline_output.tables import (
    CENSUS_INCOME_TABLE,
    CENSUS_POPULATION_TABLE,
    MONITORING_WINDOWS,
    NS_PER_S,
    RANDOM_NUMBERS_WINDOWS,
    Table,
)

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
class Counted:
    """A source of which each event is a row of `table`, and the table that its job writes last."""

    source: str
    table: Table
    last: Table


COUNTED = (Counted(source="census-population", table=CENSUS_POPULATION_TABLE, last=CENSUS_INCOME_TABLE),)


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
class Rows:
    """How many rows a store has where each is an event, how many keys, and when the run began that wrote all of its own."""

    count: int
    keys: int
    complete_ns: int | None


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
    """One for each source and store, of the events that were acknowledged since then, of COUNTED since ever. Raises OutputError."""
    for audited in AUDITED:
        noted = books(read_ledgers(folder, since_ns), audited.source)
        for name, store in stores.items():
            rows = store.read(audited.table, since_ns - EARLIER_S * NS_PER_S, limit=ROWS_MAX).to_pylist()
            yield account(audited.source, name, noted, kept(rows, audited.counts))
    for counted in COUNTED:
        entries = _of_source(read_ledgers(folder, producers=f"{counted.source}-*"), counted.source)
        for name, store in stores.items():
            yield _account_of_rows(counted, name, entries, store)


def books(entries: Iterable[Entry], source: str) -> Books:
    """The entries of a source's producers as sets. What was acknowledged was made: a cut by time may lie between the two."""
    mine = _of_source(entries, source)
    return Books(made=_of(mine, "made", "acknowledged"), acknowledged=_of(mine, "acknowledged"))


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


def account_of_rows(source: str, store: str, entries: Iterable[Entry], rows: Rows) -> Account:
    """The comparison where an event is a row. A file that was changed is another producer, and says the same rows anew: numbers count once."""
    entries = list(entries)
    made, acknowledged = (_numbers(entries, what) for what in ("made", "acknowledged"))
    lacking = max(0, acknowledged - rows.keys)
    newest_ns = max((entry.time_ns for entry in entries if entry.what == "acknowledged"), default=0)
    is_due = rows.complete_ns is not None and rows.complete_ns > newest_ns
    return Account(
        source=source,
        store=store,
        made=made,
        acknowledged=acknowledged,
        stored=acknowledged - lacking,
        late=0,
        on_the_way=0 if is_due else lacking,
        lost=lacking if is_due else 0,
        twice=rows.count - rows.keys,
    )


def _account_of_rows(counted: Counted, name: str, entries: list[Entry], store: Store) -> Account:
    """A source that nobody ran has no tables, and wants none. What is written last is read first: what it promises is there then."""
    if not entries:
        return account_of_rows(counted.source, name, [], Rows(count=0, keys=0, complete_ns=None))
    complete_ns = pc.max(store.read(counted.last)["written_ns"]).as_py()
    found = store.read(counted.table)
    keys = found.group_by(list(counted.table.key)).aggregate([]).num_rows
    return account_of_rows(counted.source, name, entries, Rows(count=len(found), keys=keys, complete_ns=complete_ns))


def _of_source(entries: Iterable[Entry], source: str) -> list[Entry]:
    producers = re.compile(rf"{re.escape(source)}-[0-9a-f]{{8}}")
    return [entry for entry in entries if producers.fullmatch(entry.producer)]


def _numbers(entries: Iterable[Entry], what: str) -> int:
    """How many sequence numbers there are, whichever producer's."""
    return size(joined(("", (entry.first_seq, entry.last_seq)) for entry in entries if entry.what == what)[0])


def _size(text: str) -> int:
    return sum(last - first + 1 for _, (first, last) in of_text(text))


def _of(entries: Iterable[Entry], *what: str) -> Runs:
    return joined((entry.producer, (entry.first_seq, entry.last_seq)) for entry in entries if entry.what in what)[0]


def _first(runs: Runs, at_most: int = 5) -> list[tuple[str, Run]]:
    return [(producer, run) for producer, of_producer in runs.items() for run in of_producer][:at_most]
