"""Rows on their way into a store."""

from __future__ import annotations

import pyarrow as pa
from pipeline_output.stores.rows import by_bucket, checked, newest, versioned
from pipeline_output.tables import NS_PER_S, Table
from pipeline_queue.topics import Column

TABLE = Table(
    name="values",
    doc="Values by host",
    topic="values",
    columns=(
        Column(name="host", kind="string", doc="where"),
        Column(name="time_ns", kind="int64", doc="when"),
        Column(name="value", kind="float64", doc="what"),
    ),
    key=("host", "time_ns"),
    time="time_ns",
    optional=frozenset({"value"}),
    bucket_s=60,
)


def values(*rows: tuple[str, float, float | None]) -> pa.Table:
    hosts, seconds, found = zip(*rows, strict=True)
    times = [round(second * NS_PER_S) for second in seconds]
    return pa.table({"host": hosts, "time_ns": times, "value": pa.array(found, pa.float64())})


def test_rows_are_sorted_by_time_before_the_rest_of_the_key() -> None:
    found = checked(TABLE, values(("b", 1, 1.0), ("a", 2, 2.0), ("a", 1, 3.0)), 1)
    assert found["value"].to_pylist() == [3.0, 1.0, 2.0]


def test_types_that_convert_without_loss_are_taken() -> None:
    loose = pa.table(
        {"host": pa.array(["a"], pa.large_string()), "time_ns": pa.array([7], pa.int32()), "value": pa.nulls(1)}
    )
    assert checked(TABLE, loose, 1).to_pylist() == [{"host": "a", "time_ns": 7, "value": None}]


def test_a_row_before_1970_lies_in_the_bucket_below() -> None:
    found = by_bucket(
        TABLE, values(("a", -61, 0.0), ("a", -60, 0.0), ("a", -0.5, 0.0), ("a", 0, 0.0), ("a", 59.9, 0.0))
    )
    assert [(bucket, len(rows)) for bucket, rows in found] == [(-2, 1), (-1, 2), (0, 2)]


def test_of_equal_keys_the_greater_version_stands_and_of_equal_versions_the_arriving() -> None:
    kept = versioned(values(("a", 1, 1.0), ("a", 2, 1.0), ("a", 3, 1.0)), 5)
    arriving = pa.concat_tables([versioned(values((host, 1, 2.0)), version) for host, version in (("a", 4), ("b", 4))])
    again = versioned(values(("a", 2, 3.0)), 5)
    merged = newest(TABLE, kept, pa.concat_tables([arriving, again]))
    assert list(zip(*merged.select(["host", "value"]).to_pydict().values(), strict=True)) == [
        ("a", 1.0),
        ("b", 2.0),
        ("a", 3.0),
        ("a", 1.0),
    ]
