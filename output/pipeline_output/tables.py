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
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION, MONITORING, RANDOM_NUMBERS, Column, Topic

from pipeline_output.errors import UnknownTable

NS_PER_S = 1_000_000_000
ARROW_TYPES = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "boolean": pa.bool_()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one kind, one for each key. `time` names an int64 column, ns since the epoch, UTC.

    `optional` columns may be empty; no other may. Rows of one bucket of `bucket_s` lie together: one Parquet file,
    one Cassandra partition. Rows whose time is older than `ttl_s` may be forgotten; without a `ttl_s` none ever is.
    """

    name: str
    doc: str
    topic: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time: str
    optional: frozenset[str] = frozenset()
    bucket_s: int = 3600
    ttl_s: int | None = 7 * 24 * 3600

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


IDS = Column(
    name="ids",
    kind="string",
    doc="which events it counts, late ones too: runs of sequence numbers, `PRODUCER:FIRST-LAST`, a blank between two",
)
"""What the auditor compares with the ledgers."""

RANDOM_NUMBERS_WINDOWS = Table(
    name="random_numbers_windows",
    doc="The random numbers of each second of event time, in figures",
    topic=RANDOM_NUMBERS.name,
    columns=(
        _time("window_start_ns", "the window's start, inclusive, since the epoch, UTC"),
        _time("window_end_ns", "the window's end, exclusive, since the epoch, UTC"),
        Column(name="count", kind="int64", unit="events", doc="numbers of the window that were not late", low=0),
        Column(
            name="late",
            kind="int64",
            unit="events",
            doc="late numbers that the log took during the window, and late repeats of its own time",
            low=0,
        ),
        IDS,
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

CENTURY_S = 100 * 366 * 24 * 3600
"""All that there is of the census lies together: 4,242 rows are 40 kB as a file."""

_YEAR_START = _time("year_start_ns", "the year's start, 1 January, since the epoch, UTC")
_WRITTEN = _time("written_ns", "when this row was computed, since the epoch, UTC")
_YEAR = _of_value(CENSUS_POPULATION, "year")
_PEOPLE = _of_value(CENSUS_POPULATION, "people")
_HOUSEHOLDS = _of_value(CENSUS_INCOME, "households")


def _of_age(name: str, doc: str) -> Column:
    return Column(name=name, kind="float64", unit=_of_value(CENSUS_POPULATION, "age").unit, doc=doc)


def _of_income(name: str, doc: str) -> Column:
    return Column(name=name, kind="float64", unit="USD", doc=doc)


CENSUS_POPULATION_TABLE = Table(
    name="census_population",
    doc="People of the United States by year, sex and age",
    topic=CENSUS_POPULATION.name,
    columns=(
        _YEAR_START,
        _YEAR,
        _of_value(CENSUS_POPULATION, "sex"),
        _of_value(CENSUS_POPULATION, "age"),
        _PEOPLE,
        _WRITTEN,
    ),
    key=("year_start_ns", "sex", "age"),
    time="year_start_ns",
    bucket_s=CENTURY_S,
    ttl_s=None,
)

CENSUS_AGE = Table(
    name="census_age",
    doc="How old the people of the United States are on average, by year and sex",
    topic=CENSUS_POPULATION.name,
    columns=(
        _YEAR_START,
        _YEAR,
        replace(_of_value(CENSUS_POPULATION, "sex"), doc="female, male or all"),
        replace(_PEOPLE, high=None),
        _of_age("mean", "their mean age; an age stands for its middle, and 100 and over for 100.5"),
        _of_age("standard_deviation", "its standard deviation, as of a whole population"),
        _WRITTEN,
    ),
    key=("year_start_ns", "sex"),
    time="year_start_ns",
    bucket_s=CENTURY_S,
    ttl_s=None,
)

CENSUS_INCOME_TABLE = Table(
    name="census_income",
    doc="What households of the United States earn on average, by state and region",
    topic=CENSUS_INCOME.name,
    columns=(
        _YEAR_START,
        _YEAR,
        Column(name="kind", kind="string", doc="state or region"),
        Column(name="place", kind="string", doc="its name"),
        replace(_of_value(CENSUS_INCOME, "region"), doc="the region that it lies in, or is"),
        replace(_of_value(CENSUS_INCOME, "state_id"), low=0, doc="the state's number; 0 for a region"),
        replace(_HOUSEHOLDS, doc="how many", high=None),
        _of_income("mean", "their mean income a year; a group stands for its midpoint, and `200000+` for 300,000"),
        _of_income("standard_deviation", "its standard deviation, as of a whole population"),
        _WRITTEN,
    ),
    key=("year_start_ns", "kind", "place"),
    time="year_start_ns",
    bucket_s=CENTURY_S,
    ttl_s=None,
)


def _of_host(name: str, column: str, doc: str) -> Column:
    """A figure over what a host measured, in the unit that the topic declares for it."""
    return replace(_of_value(MONITORING, column), name=name, kind="float64", doc=doc)


_HOST_FIGURES = (
    _of_host("busy_mean", "us", "processor time in user code and the kernel: its mean"),
    _of_host("busy_standard_deviation", "us", "its standard deviation, as of a whole population"),
    _of_host("busy_min", "us", "the least of it"),
    _of_host("busy_max", "us", "the most of it"),
    _of_host("waiting_mean", "wa", "processor time waiting for a disk: its mean"),
    _of_host("free_mean", "free", "memory nobody uses: its mean"),
    _of_host("free_min", "free", "the least of it"),
    _of_host("free_max", "free", "the most of it"),
    _of_host("buffers_mean", "buff", "memory used as buffers: its mean"),
    _of_host("cache_mean", "cache", "memory used as page cache: its mean"),
)

MONITORING_WINDOWS = Table(
    name="monitoring_windows",
    doc="What each host measured, in figures over windows of 5 s that begin every second",
    topic=MONITORING.name,
    columns=(
        _time("window_start_ns", "the window's start, inclusive, since the epoch, UTC"),
        _time("window_end_ns", "the window's end, exclusive, since the epoch, UTC"),
        replace(_of_value(MONITORING, "host"), doc="where it was measured"),
        Column(
            name="tumbling",
            kind="boolean",
            doc="whether it starts at a multiple of 5 s; those alone hold a sample once",
        ),
        Column(name="count", kind="int64", unit="events", doc="samples of the window that were not late", low=0),
        Column(
            name="late",
            kind="int64",
            unit="events",
            doc="late samples that the log took during the window, and late repeats of its own time",
            low=0,
        ),
        IDS,
        *_HOST_FIGURES,
        _time("newest_event_ns", "when the newest of them was taken, since the epoch, UTC"),
        _time("written_ns", "when this row was computed, since the epoch, UTC"),
    ),
    key=("window_start_ns", "host"),
    time="window_start_ns",
    optional=frozenset({"newest_event_ns", *(column.name for column in _HOST_FIGURES)}),
    # An hour is 3,600 rows a host, as of the random numbers.
    bucket_s=3600,
)

TABLES: Mapping[str, Table] = {
    each.name: each
    for each in (RANDOM_NUMBERS_WINDOWS, MONITORING_WINDOWS, CENSUS_POPULATION_TABLE, CENSUS_AGE, CENSUS_INCOME_TABLE)
}


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
