"""What was delivered and what waits, in one SQLite file.

In:      the alerts of records, with the position after them; what became of each attempt.
Out:     what waits, oldest first; counts by handler since the folder was made; what was given up, for a week (outcomes.py).
         Position, alerts and their deliveries are one transaction: after a kill nothing is missing and nothing is there twice.
Refuses: (DeliveriesTaken) a folder whose deliveries another process makes.
An event's id is remembered as long as the topic keeps events, so that a repeat is known even when the first one is long delivered.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline_queue.topics import ALERTS

from pipeline_output.errors import DeliveriesTaken
from pipeline_output.handlers.outcomes import FILE, Figures, figures_in
from pipeline_output.write_ahead import keep_log_ahead

REMEMBERED_NS = (ALERTS.retention_s or 0) * 1_000_000_000
TABLES = """
create table if not exists positions (partition integer primary key, next_offset integer not null) strict;
create table if not exists events (event_id text primary key, seen_ns integer not null, line blob) strict, without rowid;
create index if not exists events_by_age on events (seen_ns);
create table if not exists deliveries (
    delivery_id integer primary key autoincrement,
    event_id text not null,
    key text not null,
    kind text not null,
    target text not null,
    alert_id text not null,
    call blob not null,
    is_global integer not null,
    attempts integer not null default 0,
    given_up_ns integer,
    reason text not null default ''
) strict;
create index if not exists deliveries_by_event on deliveries (event_id);
create table if not exists counts (
    kind text not null, what text not null, n integer not null, primary key (kind, what)
) strict, without rowid;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """One handler of one alert; with a `refusal` it is given up as soon as it is recorded."""

    key: str
    kind: str
    target: str
    alert_id: str
    call: bytes
    is_global: bool
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An alert event as it lay on the topic, with its handlers."""

    event_id: str
    line: bytes
    deliveries: Sequence[NewDelivery]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is known of a delivery while it waits."""

    delivery_id: int
    target: str
    alert_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What an attempt needs."""

    key: str
    kind: str
    line: bytes
    call: bytes
    is_global: bool
    attempts: int


class Pending:
    """The file; every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock_file = os.open(folder / "alerts.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock_file)
            raise DeliveriesTaken(folder) from None
        os.close(os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._file = sqlite3.connect(folder / FILE, isolation_level=None, check_same_thread=False)
        keep_log_ahead(self._file)
        self._file.execute("pragma synchronous = normal")
        self._file.executescript(TABLES)
        self._lock = threading.Lock()

    def positions(self) -> dict[int, int]:
        with self._lock:
            return dict(self._file.execute("select partition, next_offset from positions"))

    def take(self, events: Sequence[NewEvent], positions: Mapping[int, int], now_ns: int) -> list[Waiting]:
        """Record the alerts and go on after them; what now waits. A repeat is counted and otherwise left out."""
        waiting: list[Waiting] = []
        with self._transaction():
            for event in events:
                waiting += self._take_event(event, now_ns)
            self._file.executemany("insert or replace into positions values (?, ?)", positions.items())
        return waiting

    def waiting(self) -> list[Waiting]:
        with self._lock:
            rows = self._file.execute(
                "select delivery_id, target, alert_id from deliveries where given_up_ns is null order by delivery_id"
            )
            return [Waiting(delivery_id=row[0], target=row[1], alert_id=row[2]) for row in rows]

    def due(self, delivery_id: int) -> Due:
        with self._lock:
            row = self._file.execute(
                "select key, kind, line, call, is_global, attempts from deliveries join events using (event_id) "
                "where delivery_id = ?",
                (delivery_id,),
            ).fetchone()
        key, kind, line, call, is_global, attempts = row
        return Due(key=key, kind=kind, line=line, call=call, is_global=bool(is_global), attempts=attempts)

    def delivered(self, delivery_id: int) -> None:
        with self._transaction():
            (event_id, kind) = self._event_and_kind(delivery_id)
            self._file.execute("delete from deliveries where delivery_id = ?", (delivery_id,))
            self._forget_line(event_id)
            self._count(kind, "delivered")

    def failed(self, delivery_id: int, reason: str) -> None:
        """It will be tried again."""
        with self._transaction():
            _, kind = self._event_and_kind(delivery_id)
            self._file.execute(
                "update deliveries set attempts = attempts + 1, reason = ? where delivery_id = ?", (reason, delivery_id)
            )
            self._count(kind, "retried")

    def give_up(self, delivery_id: int, reason: str, now_ns: int) -> None:
        with self._transaction():
            event_id, kind = self._event_and_kind(delivery_id)
            self._file.execute(
                "update deliveries set attempts = attempts + 1, given_up_ns = ?, reason = ? where delivery_id = ?",
                (now_ns, reason, delivery_id),
            )
            self._forget_line(event_id)
            self._count(kind, "refused")

    def figures(self) -> Figures:
        with self._lock:
            return figures_in(self._file)

    def forget(self, now_ns: int) -> None:
        """Ids and what was given up, once the topic cannot hold a repeat any more; what waits stays."""
        oldest_ns = now_ns - REMEMBERED_NS
        with self._transaction():
            self._file.execute("delete from deliveries where given_up_ns < ?", (oldest_ns,))
            self._file.execute("delete from events where seen_ns < ? and line is null", (oldest_ns,))

    def close(self) -> None:
        with self._lock:
            self._file.close()
            os.close(self._lock_file)

    def _take_event(self, event: NewEvent, now_ns: int) -> Iterator[Waiting]:
        waits = any(not each.refusal for each in event.deliveries)
        is_new = self._file.execute(
            "insert or ignore into events values (?, ?, ?)", (event.event_id, now_ns, event.line if waits else None)
        ).rowcount
        for each in event.deliveries:
            if not is_new:
                self._count(each.kind, "repeated")
                continue
            delivery_id = self._add(event.event_id, each, now_ns)
            if not each.refusal:
                yield Waiting(delivery_id=delivery_id, target=each.target, alert_id=each.alert_id)
        if not is_new and not event.deliveries:
            self._count("", "repeated")

    def _add(self, event_id: str, each: NewDelivery, now_ns: int) -> int:
        if each.refusal:
            self._count(each.kind, "refused")
        added = self._file.execute(
            "insert into deliveries (event_id, key, kind, target, alert_id, call, is_global, given_up_ns, reason) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(event_id, each.key, each.kind, each.target, each.alert_id, each.call, each.is_global),
                *(now_ns if each.refusal else None, each.refusal),
            ),
        )
        return added.lastrowid or 0

    def _event_and_kind(self, delivery_id: int) -> tuple[str, str]:
        found = self._file.execute("select event_id, kind from deliveries where delivery_id = ?", (delivery_id,))
        event_id, kind = found.fetchone()
        return event_id, kind

    def _forget_line(self, event_id: str) -> None:
        """Once no handler needs the alert, its id is enough."""
        self._file.execute(
            "update events set line = null where event_id = ? and not exists "
            "(select 1 from deliveries where deliveries.event_id = events.event_id and given_up_ns is null)",
            (event_id,),
        )

    def _count(self, kind: str, what: str) -> None:
        self._file.execute(
            "insert into counts values (?, ?, 1) on conflict (kind, what) do update set n = n + 1", (kind, what)
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._file.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._file.execute("rollback")
                raise
            self._file.execute("commit")
