"""A bucket's file as a reader meets it that took the footer of one version and the bytes of a later one."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pipeline_output.stores.bucket_file import encoded, rows_of, tightened
from pipeline_output.tables import Table
from pipeline_queue.topics import Column

TABLE = Table(
    name="numbers",
    doc="Numbers",
    topic="numbers",
    columns=(Column(name="time_ns", kind="int64", doc="when"),),
    key=("time_ns",),
    time="time_ns",
)


def numbers(count: int, version: int) -> pa.Table:
    """Numbers that zstd cannot make small, so that sizes grow as counts do."""
    return pa.table({"time_ns": [pow(7, i * version, 2**61 - 1) for i in range(count)], "version": [version] * count})


def successive(counts: list[int]) -> list[bytes]:
    files: list[bytes] = []
    for version, count in enumerate(counts, start=1):
        files.append(bytes(encoded(TABLE, numbers(count, version), files[-1] if files else None)))
    return files


def read_by_two_handles(footer_from: bytes, data_from: bytes) -> pa.Table:
    return rows_of(without_footer(data_from) + footer_from[len(without_footer(footer_from)) :])


def without_footer(content: bytes) -> bytes:
    return content[: len(content) - 8 - int.from_bytes(content[-8:-4], "little")]


GROWING = [20 + 10 * step for step in range(60)]
STEADY = [500] * 20
JUMPING = [10, 3000, 3000, 3001, 3001, 9000, 9000, 9001, 30_000, 30_000, 30_001, 30_001, 30_001, 31_000]


@pytest.mark.parametrize("counts", [GROWING, STEADY, JUMPING], ids=["growing", "steady", "jumping"])
@pytest.mark.parametrize("later", [0, 1, 2])
def test_a_footer_still_finds_its_rows_after_two_more_writes(counts: list[int], later: int) -> None:
    files = successive(counts)
    found = [read_by_two_handles(files[i], files[i + later]) for i in range(len(files) - later)]
    assert found == [numbers(count, version) for version, count in enumerate(counts[: len(found)], start=1)]


def test_a_file_is_at_most_four_times_as_large_as_its_rows() -> None:
    file = successive(STEADY)[-1]
    alone = bytes(encoded(TABLE, numbers(STEADY[-1], len(STEADY)), None))
    assert len(file) < 4 * len(alone)


@pytest.mark.parametrize("counts", [GROWING, STEADY, JUMPING, [7]], ids=["growing", "steady", "jumping", "once"])
def test_tightening_ends_with_the_rows_alone_and_no_step_hurts_a_footer(counts: list[int]) -> None:
    steps = [successive(counts)[-1]]
    while (tighter := tightened(TABLE, steps[-1])) is not None:
        steps.append(bytes(tighter))
    rows = numbers(counts[-1], len(counts))
    assert [read_by_two_handles(before, after) for before, after in pairwise(steps)] == [rows] * (len(steps) - 1)
    assert steps[-1] == bytes(encoded(TABLE, rows, None))


def test_the_metadata_names_the_table_and_the_newest_version() -> None:
    metadata = pq.read_metadata(pa.BufferReader(successive([3, 3])[-1])).metadata
    assert (metadata[b"table"], metadata[b"newest_version"]) == (b"numbers", b"2")
