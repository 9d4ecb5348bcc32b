"""The embedded broker: one SQLite file per topic in one folder, for several processes of one machine.

A publish is one transaction, so its messages share one commit. WAL with `synchronous=NORMAL` survives the kill of every
process; `durability=disk` (FULL) survives power loss. A row's id is its partition and offset in one integer, so a read
is one range of the table's own tree. A waiting reader asks `data_version`, which costs 2 µs and changes with
every commit of another connection.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from pipeline_queue.brokers.protocol import (
    Durability,
    Headers,
    Message,
    Offsets,
    Record,
    Term,
    check_sizes,
    partition_of,
)
from pipeline_queue.clock import Clock, SystemClock
from pipeline_queue.errors import OffsetGone, QueueUnavailable, StaleEpoch, TermOver, UnknownTopic
from pipeline_queue.topics import Topic

FETCH_BYTES_MAX = 16 * 1024 * 1024
"""One read hands over at least a record and stops above this."""
POLL_S = 0.004
"""Between two looks of a waiting reader: half of it is the median delay, 0.3 % of a core the price."""
LOCK_WAIT_S = 30.0
PARTITION_BITS = 48
FOR_EVER = -1
"""As `retention_s`."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ends (
    partition INTEGER PRIMARY KEY, begin INTEGER NOT NULL, "end" INTEGER NOT NULL, append_time_ns INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY, append_time_ns INTEGER NOT NULL, key BLOB, value BLOB NOT NULL, headers BLOB);
CREATE TABLE IF NOT EXISTS commits (
    "group" TEXT, partition INTEGER, "offset" INTEGER NOT NULL, epoch INTEGER NOT NULL,
    PRIMARY KEY ("group", partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS terms (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
"""


class SqliteBroker:
    """See `Broker`; `folder` is made by `create`."""

    def __init__(
        self,
        folder: Path,
        *,
        durability: Durability = "process",
        clock: Clock | None = None,
        lock_wait_s: float = LOCK_WAIT_S,
    ) -> None:
        self._folder = folder
        self._lock_wait_s = lock_wait_s
        self._durability = durability
        self._clock = clock or SystemClock()
        self._open: dict[str, sqlite3.Connection] = {}
        self._partitions: dict[str, int] = {}

    def create(self, topics: Iterable[Topic]) -> None:
        with self._doing("making its folder"):
            self._folder.mkdir(parents=True, exist_ok=True)
        for topic in topics:
            with self._doing(f"making topic {topic.name}"):
                self._lay_out(self._connect(topic.name), topic)

    def topics(self) -> list[str]:
        with self._doing("listing topics"):  # the folder may go while it is read
            return sorted(path.stem for path in self._folder.glob("*.db"))

    def partitions(self, topic: str) -> int:
        if topic not in self._partitions:
            with self._doing(f"asking for the partitions of {topic}"):
                (count,) = self._file(topic).execute("SELECT count(*) FROM ends").fetchone()
            self._partitions[topic] = count
        return self._partitions[topic]

    def publish(self, topic: str, messages: Sequence[Message], *, term: Term | None = None) -> None:
        check_sizes(topic, messages)
        count = self.partitions(topic)
        by_partition: dict[int, list[Message]] = {}
        for message in messages:
            partition = 0 if message.key is None else partition_of(message.key, count)
            by_partition.setdefault(partition, []).append(message)
        with self._doing(f"publishing on {topic}"), _transaction(self._file(topic)) as file:
            if term:
                _check_term(file, term)
            for partition, of_partition in by_partition.items():
                self._append(file, partition, of_partition)

    def begin_term(self, topic: str, term: Term) -> None:
        with self._doing(f"beginning a term on {topic}"), _transaction(self._file(topic)) as file:
            _check_term(file, term)
            file.execute("INSERT OR REPLACE INTO terms VALUES (?, ?)", (term.name, term.epoch))

    def read(self, topic: str, start: Offsets, *, wait_s: float = 0.0, limit: int = 10_000) -> list[Record]:
        deadline = time.monotonic() + wait_s
        with self._doing(f"reading {topic}"):
            file = self._file(topic)
            while True:
                version = _data_version(file)
                found = self._available(file, topic, start, limit)
                if found:
                    return found
                while _data_version(file) == version:
                    left_s = deadline - time.monotonic()
                    if left_s <= 0:
                        return []
                    time.sleep(min(POLL_S, left_s))

    def begin_offsets(self, topic: str) -> dict[int, int]:
        return self._ends(topic, "begin")

    def end_offsets(self, topic: str) -> dict[int, int]:
        return self._ends(topic, '"end"')

    def offsets_at(self, topic: str, append_time_ns: int) -> dict[int, int]:
        with self._doing(f"looking up a time in {topic}"):
            file, begins, ends = self._file(topic), self.begin_offsets(topic), self.end_offsets(topic)
            return {
                partition: _first_from(file, partition, begins[partition], end, append_time_ns)
                for partition, end in ends.items()
            }

    def commit(self, group: str, topic: str, offsets: Offsets, *, epoch: int = 0) -> None:
        with self._doing(f"committing {group} on {topic}"), _transaction(self._file(topic)) as file:
            (newest,) = file.execute('SELECT max(epoch) FROM commits WHERE "group" = ?', (group,)).fetchone()
            if newest is not None and epoch < newest:
                raise StaleEpoch(group, topic, epoch=epoch, newest=newest)
            rows = [(group, partition, offset, epoch) for partition, offset in offsets.items()]
            file.executemany("INSERT OR REPLACE INTO commits VALUES (?, ?, ?, ?)", rows)

    def committed(self, group: str, topic: str) -> dict[int, int]:
        with self._doing(f"asking where {group} is on {topic}"):
            rows = self._file(topic).execute(
                'SELECT partition, "offset" FROM commits WHERE "group" = ? ORDER BY partition', (group,)
            )
            return dict(rows.fetchall())

    def expire(self, topic: str) -> int:
        """Forget records beyond the topic's retention; says how many. One owner calls this now and then."""
        with self._doing(f"trimming {topic}"):
            (retention_s,) = self._file(topic).execute("SELECT value FROM kept WHERE name = 'retention_s'").fetchone()
        if retention_s == FOR_EVER:
            return 0
        return self.trim(topic, self.offsets_at(topic, self._clock.now_ns() - retention_s * 1_000_000_000))

    def trim(self, topic: str, begin: Offsets) -> int:
        """Forget what is below `begin`, as retention does; says how many records went."""
        gone = 0
        with self._doing(f"trimming {topic}"), _transaction(self._file(topic)) as file:
            for partition, offset in begin.items():
                file.execute("UPDATE ends SET begin = max(begin, ?) WHERE partition = ?", (offset, partition))
                span = (_row_id(partition, 0), _row_id(partition, offset))
                gone += file.execute("DELETE FROM records WHERE id >= ? AND id < ?", span).rowcount
        return gone

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def _lay_out(self, file: sqlite3.Connection, topic: Topic) -> None:
        with _transaction(file):
            for statement in SCHEMA.split(";"):
                file.execute(statement)
            retention_s = FOR_EVER if topic.retention_s is None else topic.retention_s
            file.execute("INSERT OR REPLACE INTO kept VALUES ('retention_s', ?)", (retention_s,))
            rows = [(partition, 0, 0, 0) for partition in range(topic.partitions)]
            file.executemany("INSERT OR IGNORE INTO ends VALUES (?, ?, ?, ?)", rows)
        self._partitions.pop(topic.name, None)

    def _file(self, topic: str) -> sqlite3.Connection:
        if topic not in self._open and topic not in self.topics():
            raise UnknownTopic(topic, known=self.topics())
        return self._connect(topic)

    def _connect(self, topic: str) -> sqlite3.Connection:
        if topic not in self._open:
            file = sqlite3.connect(self._folder / f"{topic}.db", timeout=self._lock_wait_s, isolation_level=None)
            file.execute("PRAGMA page_size = 16384")
            file.execute("PRAGMA journal_mode = WAL")
            file.execute(f"PRAGMA synchronous = {'FULL' if self._durability == 'disk' else 'NORMAL'}")
            file.execute("PRAGMA wal_autocheckpoint = 2000")
            self._open[topic] = file
        return self._open[topic]

    def _append(self, file: sqlite3.Connection, partition: int, messages: Sequence[Message]) -> None:
        end, newest_ns = file.execute(
            'SELECT "end", append_time_ns FROM ends WHERE partition = ?', (partition,)
        ).fetchone()
        now_ns = max(self._clock.now_ns(), newest_ns)
        rows = [
            (_row_id(partition, end + i), now_ns, message.key, message.value, _packed(message.headers))
            for i, message in enumerate(messages)
        ]
        file.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)
        ends = (end + len(rows), now_ns, partition)
        file.execute('UPDATE ends SET "end" = ?, append_time_ns = ? WHERE partition = ?', ends)

    def _available(self, file: sqlite3.Connection, topic: str, start: Offsets, limit: int) -> list[Record]:
        found: list[Record] = []
        size_bytes = 0
        for partition, offset in start.items():
            for record in _records(file, topic, partition, offset, limit - len(found)):
                found.append(record)
                size_bytes += len(record.value)
                if size_bytes >= FETCH_BYTES_MAX:
                    return found
        return found

    def _ends(self, topic: str, column: str) -> dict[int, int]:
        with self._doing(f"asking for the offsets of {topic}"):
            return dict(
                self._file(topic).execute(f"SELECT partition, {column} FROM ends ORDER BY partition").fetchall()
            )

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as cause:
            raise QueueUnavailable(f"sqlite://{self._folder}", doing=what, cause=cause) from cause


@contextmanager
def _transaction(file: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A write lock from the start, so that two processes never read the same end."""
    file.execute("BEGIN IMMEDIATE")
    try:
        yield file
    except BaseException:
        file.execute("ROLLBACK")
        raise
    file.execute("COMMIT")


def _check_term(file: sqlite3.Connection, term: Term) -> None:
    newest = file.execute("SELECT epoch FROM terms WHERE name = ?", (term.name,)).fetchone()
    if newest and term.epoch < newest[0]:
        raise TermOver(term.name, epoch=term.epoch)


def _records(file: sqlite3.Connection, topic: str, partition: int, offset: int, limit: int) -> Iterator[Record]:
    """From `offset` on; raises OffsetGone below what is kept, seen in the same snapshot as the rows."""
    rows = file.execute(
        "SELECT id, append_time_ns, key, value, headers FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (_row_id(partition, offset), _row_id(partition + 1, 0), limit),
    )
    expected = offset
    for row_id, append_time_ns, key, value, headers in rows:
        found = row_id - _row_id(partition, 0)
        if found != expected:
            raise OffsetGone(topic, partition, offset=offset, begin=found)
        expected += 1
        yield Record(
            topic=topic,
            partition=partition,
            offset=found,
            append_time_ns=append_time_ns,
            key=key,
            value=value,
            headers=_unpacked(headers),
        )
    if expected == offset:
        _check_kept(file, topic, partition, offset)


def _check_kept(file: sqlite3.Connection, topic: str, partition: int, offset: int) -> None:
    row = file.execute("SELECT begin FROM ends WHERE partition = ?", (partition,)).fetchone()
    if row and offset < row[0]:
        raise OffsetGone(topic, partition, offset=offset, begin=row[0])


def _first_from(file: sqlite3.Connection, partition: int, low: int, high: int, append_time_ns: int) -> int:
    """Append times never fall within a partition, so halving finds the first at or after one."""
    while low < high:
        middle = (low + high) // 2
        row = file.execute("SELECT append_time_ns FROM records WHERE id = ?", (_row_id(partition, middle),)).fetchone()
        if row is None or row[0] < append_time_ns:
            low = middle + 1
        else:
            high = middle
    return low


def _row_id(partition: int, offset: int) -> int:
    return (partition << PARTITION_BITS) + offset


def _data_version(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA data_version").fetchone()[0])


def _packed(headers: Headers) -> bytes | None:
    return msgspec.msgpack.encode(headers) if headers else None


def _unpacked(packed: bytes | None) -> Headers:
    return msgspec.msgpack.decode(packed, type=tuple[tuple[str, bytes], ...]) if packed else ()
