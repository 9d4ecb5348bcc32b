"""What runs in Spark's Python workers for the census: records of its topics in, rows out.

In:   records in Arrow batches.
Out:  a row for each event, with the topic's own columns and what the reading adds to them; and one row a task, all of it
      empty but for `dead`, with the number of its dead letters.
Side effects: dead letters are on the queue before their task ends. What the codec takes and the census has no use for, a
sex or an income group of another name, is one too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pipeline_queue.brokers import Record
from pipeline_queue.codec import Decoded, decode
from pipeline_queue.dead_letters import DeadLetter, bury
from pipeline_queue.events import as_row
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION, Topic

from pipeline_processing.income_groups import midpoint
from pipeline_processing.spark.log_source import broker_of
from pipeline_processing.spark.records import as_records

Batches = Iterable[pa.RecordBatch]
SEXES = ("female", "male")
ARROW_TYPES = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64()}
SPARK_TYPES = {"string": "string", "int64": "long", "float64": "double"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one topic is read. `added(event)` gives further columns, float64, and raises ValueError for what is unfit."""

    topic: Topic
    adds: tuple[str, ...]
    added: Callable[[Any], Mapping[str, float]]

    @property
    def kinds(self) -> Mapping[str, str]:
        """The columns of its rows."""
        own = {column.name: column.kind for column in self.topic.own_columns}
        return {"event_id": "string", "time_ns": "int64", **own, **dict.fromkeys(self.adds, "float64"), "dead": "int64"}

    @property
    def spark_schema(self) -> str:
        return ", ".join(f"{name} {SPARK_TYPES[kind]}" for name, kind in self.kinds.items())

    @property
    def arrow_schema(self) -> pa.Schema:
        return pa.schema([(name, ARROW_TYPES[kind]) for name, kind in self.kinds.items()])


def _of_person(event: Any) -> Mapping[str, float]:
    if event.sex not in SEXES:
        raise ValueError(f"`{event.sex}` is none of {', '.join(SEXES)}")
    return {}


def _of_household(event: Any) -> Mapping[str, float]:
    return {"income": midpoint(event.income_group)}


POPULATION = Reading(topic=CENSUS_POPULATION, adds=(), added=_of_person)
INCOME = Reading(topic=CENSUS_INCOME, adds=("income",), added=_of_household)


def census_rows(batches: Batches, reading: Reading, queue_url: str) -> Iterator[pa.RecordBatch]:
    """The rows of all the batches; dead letters are published."""
    schema, dead = reading.arrow_schema, 0
    for batch in batches:
        rows, letters = read(reading, as_records(batch))
        bury(broker_of(queue_url), letters)
        dead += len(letters)
        yield pa.RecordBatch.from_pylist(rows, schema=schema)
    if dead:
        yield pa.RecordBatch.from_pylist([{"dead": dead}], schema=schema)


def read(reading: Reading, records: Iterable[Record]) -> tuple[list[dict[str, Any]], list[DeadLetter]]:
    """A row for each fit event, and the dead letters."""
    rows: list[dict[str, Any]] = []
    letters: list[DeadLetter] = []
    for record in records:
        found = decode(reading.topic, record)
        letters += found.dead
        for number, event in enumerate(found.events):
            try:
                rows.append({**as_row(event), **reading.added(event)})
            except ValueError as unfit:
                letters.append(_unfit(record, found, number, str(unfit)))
    return rows, letters


def _unfit(record: Record, found: Decoded, number: int, reason: str) -> DeadLetter:
    """The letter of the record's event of that number: its line is that of the so-manieth sound one."""
    lines, dead = record.value.split(b"\n"), {letter.line for letter in found.dead}
    sound = [line for line in range(len(lines)) if line not in dead]
    return DeadLetter.of(record, line=sound[number], raw=lines[sound[number]], reason=reason)
