"""The topics, each declared once.

A declaration says what an event of the topic holds and how the topic is kept. Event types, tables,
validation and docs/topics.md derive from it, and `pipeline topics create` lays the topics out on the broker.

Out:     `TOPICS`, by name. Those of applications' events are added in catalog.py.
Refuses: nothing at run time; tests hold that every name, unit and limit is stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "int64", "float64", "boolean"]

EVENTS_PER_BLOCK_MAX = 10_000
BLOCK_BYTES_MAX = 4 * 1024 * 1024
"""A block before compression. Broker, producer and fetch sizes derive from this one number."""
EVENT_BYTES_MAX = 64 * 1024
"""One line of a block; what is longer is a dead letter."""
STRING_LENGTH_MAX = 1024
NEWEST_LENGTH_MAX = 8 * 1024
"""Of the rows that a loader shows; some are left out where they are longer."""
ALERT_MESSAGE_LENGTH_MAX = 4 * 1024
"""What is longer is cut, and says so."""
AHEAD_S_MAX = 60
"""A time further ahead of its record's append time is a wrong clock, not an event; but see `Topic.takes_any_time`."""
AGE_S_MAX = 7 * 24 * 3600
"""A time older than this at its append is a wrong clock too; between `lateness_s` and this it is late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One value of an event. `low` and `high` are inclusive; a string has at most `length_max` characters."""

    name: str
    kind: Kind
    doc: str
    unit: str = ""
    low: int | None = None
    high: int | None = None
    length_max: int = STRING_LENGTH_MAX
    tag: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What travels under one name.

    `key` names the column whose value picks the partition: equal keys keep their order. Without a `retention_s` all is
    kept for ever.
    A raw topic carries bytes that are nobody's events (dead letters, blocks of points); its columns are empty, and `encoding`
    says what its records are.
    One that `takes_any_time` was promised to its senders: an event is kept whatever its time is beside its append's, which is
    another clock's.
    """

    name: str
    doc: str
    own_columns: tuple[Column, ...]
    key: str
    partitions: int = 1
    retention_s: int | None = 24 * 3600
    lateness_s: int = 10
    takes_any_time: bool = False
    raw: bool = False
    encoding: Literal["ndjson", "bytes", "arrow"] = "ndjson"

    @property
    def columns(self) -> tuple[Column, ...]:
        return () if self.raw else ENVELOPE + self.own_columns

    @property
    def kept(self) -> str:
        """How long, for people."""
        return "for ever" if self.retention_s is None else f"{self.retention_s / 3600:g} h"


ENVELOPE = (
    Column(name="event_id", kind="string", doc="unique for ever: the producer and the sequence number"),
    Column(name="time_ns", kind="int64", unit="ns", doc="when it happened, since the epoch, UTC"),
    Column(name="producer", kind="string", doc="the process that made it; a restart is a new producer", tag=True),
    Column(name="seq", kind="int64", doc="counts the producer's events from 0 without a gap", low=0),
)


def _gauge(name: str, unit: str, doc: str) -> Column:
    return Column(name=name, kind="int64", unit=unit, doc=doc, low=0)


VMSTAT_COLUMNS = (
    _gauge("r", "processes", "running or waiting for a processor"),
    _gauge("b", "processes", "blocked, waiting for a disk or a lock in the kernel"),
    _gauge("swpd", "KiB", "swap in use"),
    _gauge("free", "KiB", "memory nobody uses"),
    _gauge("buff", "KiB", "memory used as buffers"),
    _gauge("cache", "KiB", "memory used as page cache, reclaimable slab included"),
    _gauge("si", "KiB/s", "swapped in from disk"),
    _gauge("so", "KiB/s", "swapped out to disk"),
    _gauge("bi", "KiB/s", "read from block devices"),
    _gauge("bo", "KiB/s", "written to block devices"),
    _gauge("in", "1/s", "interrupts"),
    _gauge("cs", "1/s", "context switches"),
    Column(name="us", kind="float64", unit="%", doc="processor time in user code, nice included", low=0, high=100),
    Column(
        name="sy", kind="float64", unit="%", doc="processor time in the kernel, interrupts included", low=0, high=100
    ),
    Column(name="id", kind="float64", unit="%", doc="processor time idle", low=0, high=100),
    Column(name="wa", kind="float64", unit="%", doc="processor time waiting for a disk", low=0, high=100),
    Column(
        name="st", kind="float64", unit="%", doc="processor time taken by the hypervisor for others", low=0, high=100
    ),
)

MONITORING = Topic(
    name="monitoring",
    doc="What vmstat shows, once per interval and host",
    own_columns=(Column(name="host", kind="string", doc="where it was measured", tag=True), *VMSTAT_COLUMNS),
    key="host",
    partitions=2,
)

RANDOM_NUMBERS = Topic(
    name="random-numbers",
    doc="Seeded random numbers, an exact count per second",
    own_columns=(Column(name="value", kind="float64", doc="the number"),),
    key="producer",
    partitions=4,
)

YEAR = Column(
    name="year", kind="int64", unit="year", doc="which year the number is of, not when it was sent", low=1790, high=2200
)
"""From the first census on, to a year whose begin in ns an int64 still holds."""
PEOPLE_MAX = 10_000_000_000
"""More than there are: sums of what is within these limits are exact in 38 digits."""

CENSUS_POPULATION = Topic(
    name="census-population",
    doc="People of the United States by year, sex and age",
    own_columns=(
        YEAR,
        Column(name="sex", kind="string", doc="female or male", tag=True),
        Column(name="age", kind="int64", unit="years", doc="at that age; 100 stands for 100 and over", low=0, high=100),
        Column(name="people", kind="int64", unit="people", doc="how many", low=0, high=PEOPLE_MAX),
    ),
    key="producer",
    retention_s=None,
)

CENSUS_INCOME = Topic(
    name="census-income",
    doc="Households of the United States by state and income",
    own_columns=(
        YEAR,
        Column(name="state", kind="string", doc="its name", tag=True),
        Column(name="state_id", kind="int64", unit="FIPS code", doc="its number", low=1, high=99),
        Column(
            name="region", kind="string", doc="where the state is: northeast, midwest, south, west, other", tag=True
        ),
        Column(name="income_group", kind="string", doc="USD a year: `<10000`, `10000 to 14999` … `200000+`", tag=True),
        Column(
            name="share", kind="float64", unit="of households", doc="how many of the state's have it", low=0, high=1
        ),
        Column(name="households", kind="int64", unit="households", doc="all of the state's", low=0, high=PEOPLE_MAX),
    ),
    key="producer",
    retention_s=None,
)

DEAD_LETTERS = Topic(
    name="dead-letters",
    doc="What could not be read, byte for byte; the headers say where it lay and why",
    own_columns=(),
    key="",
    retention_s=30 * 24 * 3600,
    raw=True,
    encoding="bytes",
)

POINTS = Topic(
    name="points",
    doc="Points of line protocol, as Arrow blocks of up to 10,000 (pipeline_queue.points.block says how); keyed by database and retention policy, whose points keep one order",
    own_columns=(),
    key="",
    partitions=4,
    raw=True,
    encoding="arrow",
)

HEARTBEATS = Topic(
    name="heartbeats",
    doc="Each service's figures, once a second",
    own_columns=(
        Column(name="service", kind="string", doc="the service's name", tag=True),
        Column(name="stage", kind="string", doc="input, queue, processing, output or display", tag=True),
        Column(name="healthy", kind="boolean", doc="its loop went round lately"),
        Column(name="events_in", kind="int64", unit="events", doc="taken in since its start", low=0),
        Column(name="events_out", kind="int64", unit="events", doc="handed on since its start", low=0),
        Column(name="dead", kind="int64", unit="events", doc="sent to the dead letters since its start", low=0),
        Column(name="late", kind="int64", unit="events", doc="late since its start", low=0),
        Column(name="lag", kind="int64", unit="events", doc="not taken in yet", low=0),
        Column(
            name="latency_s",
            kind="float64",
            unit="s",
            doc="median of the last second, from making to handing on",
            low=0,
        ),
        Column(name="doing", kind="string", doc="what it does now, in a few words"),
    ),
    key="service",
    retention_s=3600,
)

JOB_REQUESTS = Topic(
    name="job-requests",
    doc="Jobs that someone wants run",
    own_columns=(
        Column(name="request_id", kind="string", doc="names the request; its results carry it"),
        Column(name="job", kind="string", doc="a name of the table JOBS"),
    ),
    key="request_id",
)

JOB_RESULTS = Topic(
    name="job-results",
    doc="What became of each requested job",
    own_columns=(
        Column(name="request_id", kind="string", doc="the request it answers"),
        Column(name="job", kind="string", doc="a name of the table JOBS"),
        Column(name="state", kind="string", doc="running, finished, failed or refused"),
        Column(name="message", kind="string", doc="for people: what is running where, or why not"),
    ),
    key="request_id",
)

SAMPLES = Topic(
    name="samples",
    doc="What each job holds at the moment, one piece of it to look at, once a second",
    own_columns=(
        Column(name="job", kind="string", doc="a name of the table JOBS", tag=True),
        Column(name="sample", kind="string", doc="JSON: the newest partial result, at most 1,000 characters"),
    ),
    key="job",
    retention_s=3600,
)

EVENT_COUNTS = Topic(
    name="event-counts",
    doc="What each process of the collector took and refused, as counts since its start: once a second what has changed, every ten seconds all",
    own_columns=(
        Column(name="client", kind="string", doc="who sent it; empty where the collector is open", tag=True),
        Column(name="type", kind="string", doc="the event type; empty where what was refused has none", tag=True),
        Column(name="outcome", kind="string", doc="`accepted`, or the reason of the refusal in a few words", tag=True),
        Column(name="events", kind="int64", unit="events", doc="so many since the process began", low=0),
    ),
    key="producer",
    retention_s=3600,
)

LOADS = Topic(
    name="loads",
    doc="How each event type stands at the loader, when that has changed, and every ten seconds",
    own_columns=(
        Column(name="type", kind="string", doc="the event type", tag=True),
        Column(name="lag_events", kind="int64", unit="events", doc="on the queue, not loaded yet", low=0),
        Column(name="lag_s", kind="float64", unit="s", doc="how long the oldest of them waits", low=0),
        Column(name="loaded_at_ns", kind="int64", unit="ns", doc="of the last load; 0 before the first", low=0),
        Column(
            name="next_at_ns",
            kind="int64",
            unit="ns",
            doc="when the next load begins, if no backlog calls it earlier",
            low=0,
        ),
        Column(
            name="events", kind="int64", unit="events", doc="that the table took since ever, repeats among them", low=0
        ),
        Column(name="dead", kind="int64", unit="events", doc="that became dead letters since ever", low=0),
        Column(
            name="gone",
            kind="int64",
            unit="messages",
            doc="that retention took before they were loaded, since ever",
            low=0,
        ),
        Column(name="reached", kind="string", doc="JSON: by partition the offset that is loaded next"),
        Column(
            name="newest",
            kind="string",
            doc="JSON: the newest rows that this loader put, the last one first",
            length_max=NEWEST_LENGTH_MAX,
        ),
    ),
    key="type",
    retention_s=3600,
)

ALERTS = Topic(
    name="alerts",
    doc="What the tasks' alert nodes said, one event an alert event; a repeat after a crash has the same `event_id`",
    own_columns=(
        Column(name="task", kind="string", doc="the task that it is of", tag=True),
        Column(name="node", kind="string", doc="its alert node", tag=True),
        Column(name="topic", kind="string", doc="the alert topic that the script names; empty without one"),
        Column(name="group_id", kind="string", doc="tags and values of the group, `nil` where nothing is grouped"),
        Column(name="alert_id", kind="string", doc="the alert's id as the script makes it"),
        Column(name="level", kind="string", doc="OK, INFO, WARNING or CRITICAL", tag=True),
        Column(name="previous_level", kind="string", doc="the level before", tag=True),
        Column(name="message", kind="string", doc="for people", length_max=ALERT_MESSAGE_LENGTH_MAX),
        Column(name="details", kind="string", doc="for people, longer; often HTML", length_max=EVENT_BYTES_MAX),
        Column(name="data", kind="string", doc="JSON: the rows that the alert is about", length_max=EVENT_BYTES_MAX),
        Column(
            name="duration_ns",
            kind="int64",
            unit="ns",
            doc="how long the alert has not been OK; less than 0 where its point is older than the first",
        ),
        Column(name="recoverable", kind="boolean", doc="whether an OK event follows when it is over"),
        Column(
            name="at_ns", kind="int64", unit="ns", doc="time of the point, however old; `time_ns` is when it was found"
        ),
        Column(
            name="handlers",
            kind="string",
            doc="JSON: a list of kind, arguments and properties of each handler",
            length_max=EVENT_BYTES_MAX,
        ),
    ),
    key="task",
    retention_s=7 * 24 * 3600,
)

TOPICS: Mapping[str, Topic] = {
    each.name: each
    for each in (
        *(MONITORING, RANDOM_NUMBERS, CENSUS_POPULATION, CENSUS_INCOME),
        *(DEAD_LETTERS, HEARTBEATS, JOB_REQUESTS, JOB_RESULTS, SAMPLES),
        *(EVENT_COUNTS, LOADS, POINTS, ALERTS),
    )
}
