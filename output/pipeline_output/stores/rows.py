"""Rows on their way into a store.

In:      an Arrow table whose columns carry the declared names, in any order, in types that convert without loss.
Out:     `checked`: the declared schema, sorted by key; `newest`: of each key the row with the greatest version;
         `by_bucket`: the rows of each bucket.
Refuses: (BadRows) other columns, empty values where none may be, NaN and infinities, a key twice, a version below 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_output.errors import BadRows
from pipeline_output.tables import Table, arrow_schema

VERSION = "version"
"""The column that stores keep beside a table's own: the version of the write that a row is from."""
VERSION_MAX = 2**63 - 1


def checked(table: Table, rows: pa.Table, version: int) -> pa.Table:
    """`rows` in the table's schema and order."""
    if not 0 <= version <= VERSION_MAX:
        raise BadRows(table.name, because=f"version {version} is not between 0 and {VERSION_MAX}")
    fitting = _sorted(table, _cast(table, rows))
    for name in table.names:
        _check_values(table, name, fitting[name])
    twice = pc.sum(pc.invert(_differs_from_next(table, fitting))).as_py()
    if twice:
        raise BadRows(table.name, because=f"{twice} rows repeat the key ({', '.join(table.key)}) of another")
    return fitting


def versioned(rows: pa.Table, version: int) -> pa.Table:
    """`rows` with the column `version`."""
    return rows.append_column(VERSION, pa.repeat(pa.scalar(version, pa.int64()), len(rows)))


def newest(table: Table, kept: pa.Table, arriving: pa.Table) -> pa.Table:
    """Both versioned tables as one, sorted by key; the newest of each key, of equal versions the arriving."""
    both = pa.concat_tables([kept, arriving])
    # The sort is stable: within a key and version what arrives comes after what was kept.
    ordered = both.take(pc.sort_indices(both, sort_keys=[(name, "ascending") for name in (*table.order, VERSION)]))
    return ordered.filter(_differs_from_next(table, ordered)).combine_chunks()


def by_bucket(table: Table, rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """The number of each bucket that sorted `rows` touch, and its rows."""
    if not len(rows):
        return
    runs = pc.run_end_encode(buckets(table, rows).combine_chunks())
    begin = 0
    for bucket, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield bucket, rows.slice(begin, end - begin)
        begin = end


def buckets(table: Table, rows: pa.Table) -> pa.ChunkedArray:
    """The bucket of each row: its time divided by the bucket's length, rounded down also before 1970."""
    toward_zero = pc.divide(rows[table.time], table.bucket_ns)
    below = pc.less(rows[table.time], pc.multiply(toward_zero, table.bucket_ns))
    return pc.subtract(toward_zero, pc.cast(below, pa.int64()))


def _cast(table: Table, rows: pa.Table) -> pa.Table:
    if set(rows.column_names) != set(table.names) or len(rows.column_names) != len(table.names):
        odd = sorted(set(rows.column_names) ^ set(table.names)) or rows.column_names
        raise BadRows(table.name, because=f"missing, unknown or repeated columns: {', '.join(odd)}")
    schema = arrow_schema(table)
    try:
        return pa.Table.from_arrays([rows[field.name].cast(field.type) for field in schema], schema=schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as cause:
        raise BadRows(table.name, because=str(cause)) from cause


def _sorted(table: Table, rows: pa.Table) -> pa.Table:
    return rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in table.order]))


def _check_values(table: Table, name: str, values: pa.ChunkedArray) -> None:
    if values.null_count and name not in table.optional:
        raise BadRows(table.name, because=f"`{name}` is empty in {values.null_count} of them")
    if pa.types.is_floating(values.type) and not pc.all(pc.is_finite(values), min_count=0).as_py():
        raise BadRows(table.name, because=f"`{name}` holds NaN or an infinity; leave it empty where there is no value")


def _differs_from_next(table: Table, rows: pa.Table) -> pa.Array | pa.ChunkedArray:
    """For each of the sorted rows: is it the last one of its key?"""
    if not len(rows):
        return pa.array([], pa.bool_())
    differs = pa.array([False] * (len(rows) - 1), pa.bool_())
    for name in table.order:
        differs = pc.or_(differs, pc.not_equal(rows[name].slice(0, len(rows) - 1), rows[name].slice(1)))
    return pa.chunked_array([*_chunks(differs), pa.array([True])])


def _chunks(values: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return values.chunks if isinstance(values, pa.ChunkedArray) else [values]
