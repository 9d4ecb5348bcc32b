"""The tables, each declared once.

A declaration says what a row holds, what makes it one row, how it is spread over time and how long it is kept.
Arrow schemas, Parquet files, CQL and SQL definitions derive from it, and `pipeline tables create` lays the tables out.

In:      the topics' declarations: what a topic declares about a value, its table repeats.
Out:     `TABLES`, by name; `table(name)`, which raises UnknownTable; `arrow_schema(table)`.
Refuses: a table whose key lacks its time: equal keys would lie in several buckets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import pyarrow as pa
from pipeline_queue.topics import RANDOM_NUMBERS, Column, Topic

from pipeline_output.errors import UnknownTable

NS_PER_S = 1_000_000_000
ARROW_TYPES = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "boolean": pa.bool_()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one kind, one for each key. `time` names an int64 column, ns since the epoch, UTC.

    `optional` columns may be empty; no other may. Rows of one bucket of `bucket_s` lie together: one Parquet file,
    one Cassandra partition. Rows whose time is older than `ttl_s` may be forgotten.
    """

    name: str
    doc: str
    topic: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time: str
    optional: frozenset[str] = frozenset()
    bucket_s: int = 3600
    ttl_s: int = 7 * 24 * 3600

    def __post_init__(self) -> None:
        if self.time not in self.key:
            raise ValueError(f"table `{self.name}`: the time `{self.time}` is not part of the key {self.key}")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def order(self) -> tuple[str, ...]:
        """The key with its time first: how rows are sorted everywhere."""
        return (self.time, *(name for name in self.key if name != self.time))

    @property
    def bucket_ns(self) -> int:
        return self.bucket_s * NS_PER_S


def events_table(topic: Topic) -> Table:
    """A table that holds a topic's events as they are."""
    return Table(
        name=topic.name.replace("-", "_"),
        doc=topic.doc,
        topic=topic.name,
        columns=topic.columns,
        key=("time_ns", "event_id"),
        time="time_ns",
        ttl_s=topic.retention_s,
    )


def _of_value(topic: Topic, value: str) -> Column:
    return next(column for column in topic.columns if column.name == value)


def _figure(name: str, doc: str) -> Column:
    """A figure over the numbers of a window, in the unit that the topic declares for them."""
    return replace(_of_value(RANDOM_NUMBERS, "value"), name=name, kind="float64", doc=doc)


def _time(name: str, doc: str) -> Column:
    return replace(_of_value(RANDOM_NUMBERS, "time_ns"), name=name, doc=doc)


RANDOM_NUMBERS_WINDOWS = Table(
    name="random_numbers_windows",
    doc="The random numbers of each second of event time, in figures",
    topic=RANDOM_NUMBERS.name,
    columns=(
        _time("window_start_ns", "the window's start, inclusive, since the epoch, UTC"),
        _time("window_end_ns", "the window's end, exclusive, since the epoch, UTC"),
        Column(name="count", kind="int64", unit="events", doc="numbers of the window that were not late", low=0),
        Column(name="late", kind="int64", unit="events", doc="late numbers that the log took during the window", low=0),
        _figure("mean", "their mean"),
        _figure("standard_deviation", "their standard deviation, as of a whole population"),
        _figure("sum", "their sum"),
        _figure("min", "the least of them"),
        _figure("max", "the greatest of them"),
        _figure("p50", "the value that half of them do not exceed"),
        _figure("p90", "the value that 90 % of them do not exceed"),
        _figure("p99", "the value that 99 % of them do not exceed"),
        _time("newest_event_ns", "when the newest of them happened, since the epoch, UTC"),
        _time("written_ns", "when this row was computed, since the epoch, UTC"),
    ),
    key=("window_start_ns",),
    time="window_start_ns",
    # A window that saw only late numbers has a count of 0 and nothing to say about the others.
    optional=frozenset({"mean", "standard_deviation", "sum", "min", "max", "p50", "p90", "p99", "newest_event_ns"}),
    # An hour is 3,600 rows: some 300 kB as a file that each write replaces, one well-sized Cassandra partition.
    bucket_s=3600,
)

TABLES: Mapping[str, Table] = {each.name: each for each in (RANDOM_NUMBERS_WINDOWS,)}


def table(name: str) -> Table:
    """The declaration of `name`; raises UnknownTable, which names the nearest one."""
    try:
        return TABLES[name]
    except KeyError:
        raise UnknownTable(name, known=TABLES) from None


@cache
def arrow_schema(table: Table) -> pa.Schema:
    """The table's columns in Arrow, unit and doc in the fields' metadata."""
    return pa.schema([_field(column, optional=column.name in table.optional) for column in table.columns])


def _field(column: Column, *, optional: bool) -> pa.Field:
    described = {"doc": column.doc, "unit": column.unit}
    return pa.field(column.name, ARROW_TYPES[column.kind], nullable=optional, metadata=described)
