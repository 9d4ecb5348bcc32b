"""Records of the queue as points: read once for all tasks, then a frame for each task.

In:      a block of the topic `points`, or a record of any topic with declared columns.
Out:     arrays, and series by numbers of the reader's own; from these a frame by a task's keys, in the group `nil`.
Refuses: (NotABlock) a record on `points` that is no block. Events that are none are left out: who keeps dead letters reads
         for himself.
A topic's events are points of the database `pipeline`, its retention policy and its measurement being the topic's name: tags are
the columns declared so, fields are the others, the time is `time_ns`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pipeline_queue.brokers import Record
from pipeline_queue.codec import decode
from pipeline_queue.events import Event
from pipeline_queue.points import block, series_key
from pipeline_queue.topics import Kind, Topic

from pipeline_processing.points.frame import DTYPES, Column, Frame, Key, Rows, Type, empty_frame
from pipeline_processing.points.heard import NOBODY, Sent
from pipeline_processing.points.keys import UNKNOWN, Group, Ids, Keys, Series, sorted_tags

DATABASE = "pipeline"
TYPES: Dictionary[Kind, Type] = {"float64": "float", "int64": "int", "boolean": "bool", "string": "string"}


class Reader:
    """Numbers series for all tasks that share it; may be used by several threads at once."""

    def __init__(self) -> None:
        self.series: list[Series] = []
        self._numbers: dict[tuple[str, str], dict[bytes | tuple[str, ...], int]] = {}
        self._lock = threading.Lock()

    def read(self, topic: Topic, record: Record) -> SharedBlock:
        """Raises NotABlock."""
        if topic.encoding == "arrow":
            origin, batch = block.decode(record.value)
            return self.of_points(origin, block.as_points(batch), Sent.of_message(record))
        events = decode(topic, record).events
        return self.of_events(topic, events, Sent.of_events(record, events))

    def of_batch(self, database: str, retention_policy: str, batch: pa.RecordBatch) -> SharedBlock:
        """A batch of the layout of a block."""
        return self.of_points(block.Origin(database, retention_policy), block.as_points(batch))

    def of_points(self, origin: block.Origin, points: block.Points, sent: Sent = NOBODY) -> SharedBlock:
        numbers = self._of_keys(origin, points.keys)
        return SharedBlock(
            reader=self,
            database=origin.database,
            retention_policy=origin.retention_policy,
            time_ns=points.time_ns,
            series=numbers[points.series],
            fields={(each.name, each.type): Column(each.values, each.present) for each in points.fields},
            sent=sent,
        )

    def of_events(self, topic: Topic, events: Sequence[Event], sent: Sent = NOBODY) -> SharedBlock:
        """Of a topic with declared columns."""
        tags = [column.name for column in topic.columns if column.tag]
        fields = [column for column in topic.columns if not column.tag and column.name != "time_ns"]
        return SharedBlock(
            reader=self,
            database=DATABASE,
            retention_policy=topic.name,
            time_ns=np.array([event.time_ns for event in events], dtype=np.int64),
            series=self._of_tags(topic, tags, [tuple(getattr(event, tag) for tag in tags) for event in events]),
            fields={
                (column.name, TYPES[column.kind]): _column(
                    TYPES[column.kind], [getattr(each, column.name) for each in events]
                )
                for column in fields
            },
            sent=sent,
        )

    def _of_keys(self, origin: block.Origin, keys: Sequence[bytes]) -> Ids:
        known = self._known(origin.database, origin.retention_policy)
        found = [known.get(key, UNKNOWN) for key in keys]
        if UNKNOWN in found:
            with self._lock:
                for at, key in enumerate(keys):
                    if found[at] == UNKNOWN:
                        found[at] = known.get(key, UNKNOWN)
                    if found[at] == UNKNOWN:
                        found[at] = known[key] = self._add(_series_of(origin, key))
        return np.array(found, dtype=np.int32)

    def _of_tags(self, topic: Topic, names: Sequence[str], values: Sequence[tuple[str, ...]]) -> Ids:
        known = self._known(DATABASE, topic.name)
        with self._lock:
            for each in dict.fromkeys(values):
                if each not in known:
                    tags = sorted_tags((name, value) for name, value in zip(names, each, strict=True) if value)
                    known[each] = self._add(Series(DATABASE, topic.name, topic.name, tags))
        return np.array([known[each] for each in values], dtype=np.int32)

    def _known(self, database: str, retention_policy: str) -> dict[bytes | tuple[str, ...], int]:
        with self._lock:
            return self._numbers.setdefault((database, retention_policy), {})

    def _add(self, series: Series) -> int:
        self.series.append(series)
        return len(self.series) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedBlock:
    """Points of one database and retention policy; `series` has the reader's numbers. Nobody writes to its arrays."""

    reader: Reader
    database: str
    retention_policy: str
    time_ns: np.ndarray
    series: Ids
    fields: Dictionary[Key, Column]
    sent: Sent = NOBODY

    def __len__(self) -> int:
        return len(self.time_ns)

    def frame(self, mapping: Mapping, keys: Keys, *, first_cause: int, rows: Rows | None = None) -> Frame:
        """The points as a task knows them, or those at `rows`; a point's cause is `first_cause` and its position here."""
        group = keys.group_id(Group())
        if not len(self):
            return empty_frame()
        whole = Frame(
            time_ns=self.time_ns,
            series=self.series,
            group=np.full(len(self), group, dtype=np.int32),
            cause=np.arange(first_cause, first_cause + len(self)),
            fields=self.fields,
        )
        taken = whole if rows is None else whole.take(rows)
        return Frame(
            time_ns=taken.time_ns,
            series=mapping.of(taken.series, self.reader, keys),
            group=taken.group,
            cause=taken.cause,
            fields=taken.fields,
        )


@dataclass(slots=True)
class Mapping:
    """From a reader's numbers of series to those of one task's keys."""

    _reader: Reader | None = None
    _known: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))

    def of(self, series: Ids, reader: Reader, keys: Keys) -> Ids:
        if self._reader is not reader:
            self._reader, self._known = reader, np.empty(0, dtype=np.int32)
        if len(reader.series) > len(self._known):
            known = np.full(max(64, len(reader.series), 2 * len(self._known)), UNKNOWN, dtype=np.int32)
            known[: len(self._known)] = self._known
            self._known = known
        found = self._known[series]
        new = series[found == UNKNOWN]
        if len(new):
            unique, first = np.unique(new, return_index=True)
            for each in unique[np.argsort(first)].tolist():
                self._known[each] = keys.series_id(reader.series[each])
            found = self._known[series]
        return found


def _series_of(origin: block.Origin, key: bytes) -> Series:
    name, tags = series_key.read(key)
    return Series(
        sys.intern(origin.database),
        sys.intern(origin.retention_policy),
        sys.intern(name.decode()),
        sorted_tags((sys.intern(tag.decode()), value.decode()) for tag, value in tags),
    )


def _column(type_: Type, values: list[object]) -> Column:
    array = np.empty(len(values), dtype=DTYPES[type_])
    array[:] = values
    return Column(array)
