"""A bucket's Parquet file, laid out so that a reader may open it twice.

DuckDB reads the footer through one handle and the columns through another. When a file was renamed over in between, it
meets new bytes at old places and fails: with 90 writes a second, 1 query in 25 did. So a new file keeps the bytes of
the last two versions where they were and puts its own where neither of them lies: who comes with the footer of one of
those still finds its rows. A footer says where columns lie; Parquet asks nothing of other bytes. Ours also says, in its
metadata, where the rows of the version before it lie.

In:      the rows, and the file that is to be replaced.
Out:     `encoded`: the new file's bytes; `rows_of`: a file's rows; `tightened`: the file with less of what is dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline_output.stores.rows import VERSION
from pipeline_output.tables import Table

FRONT = 4
"""Where the first rows lie: behind the magic number that a file begins with."""
FOOTER_END_BYTES = 8
"""At the end of a file: the footer's length in four bytes, and the magic number."""
BEFORE = "rows_before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The bytes from `begin` to `end`, exclusive."""

    begin: int
    end: int

    def overlaps(self, other: Region) -> bool:
        return self.begin < other.end and other.begin < self.end


def encoded(table: Table, rows: pa.Table, before: bytes | None) -> pa.Buffer:
    """A file of `rows` that may take the place of `before`."""
    if before is None:
        return _written(table, rows, memoryview(b""), FRONT, None)[0]
    return _beside(table, rows, before, kept=[_live(before), *_former(before)])


def rows_of(content: bytes) -> pa.Table:
    parquet = pq.ParquetFile(pa.BufferReader(content))
    return parquet.read(use_threads=False).replace_schema_metadata(None)


def tightened(table: Table, before: bytes) -> pa.Buffer | None:
    """First the rows once more, in front; from that, the next time, the rows alone; from those None.

    One step would leave nothing where the last footer points.
    """
    live = _live(before)
    if live.begin > FRONT:
        return _beside(table, rows_of(before), before, kept=[live])
    if len(_data(before)) > live.end:
        return _written(table, rows_of(before), memoryview(b""), FRONT, None)[0]
    return None


def _beside(table: Table, rows: pa.Table, before: bytes, *, kept: Sequence[Region]) -> pa.Buffer:
    """`rows` where none of the kept lie: at the first place for as many bytes as the last version had, if that does."""
    data, live = _data(before), _live(before)
    size_bytes = live.end - live.begin
    places = (Region(begin=at, end=at + size_bytes) for at in sorted([FRONT, *(region.end for region in kept)]))
    first = next(place.begin for place in places if not any(map(place.overlaps, kept)))
    content, taken = _written(table, rows, data, first, live)
    if not any(map(taken.overlaps, kept)):
        return content
    return _written(table, rows, data, max(region.end for region in kept), live)[0]


def _live(content: bytes) -> Region:
    """Where the rows lie."""
    footer = pq.read_metadata(pa.BufferReader(content))
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    begins = [column.dictionary_page_offset or column.data_page_offset for column in columns]
    ends = [begin + column.total_compressed_size for begin, column in zip(begins, columns, strict=True)]
    return Region(begin=min(begins), end=max(ends))


def _former(content: bytes) -> list[Region]:
    """Where the rows of the version before lie."""
    text = pq.read_metadata(pa.BufferReader(content)).metadata[BEFORE.encode()].decode()
    begin, end = map(int, text.split("-")) if text else (0, 0)
    return [Region(begin=begin, end=end)] if end else []


def _data(content: bytes) -> memoryview:
    """All but the footer."""
    footer_bytes = int.from_bytes(content[-FOOTER_END_BYTES:-4], "little")
    return memoryview(content)[: len(content) - FOOTER_END_BYTES - footer_bytes]


def _written(
    table: Table, rows: pa.Table, data: memoryview, at: int, before: Region | None
) -> tuple[pa.Buffer, Region]:
    """`data` with the rows put over it from `at` on, and a footer; and where the rows lie."""
    strings = [field.name for field in rows.schema if pa.types.is_string(field.type)]
    described = rows.replace_schema_metadata(_described(table, rows, before))
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, described.schema, compression="zstd", use_dictionary=strings) as writer:
        sink.write(data[FRONT:at])
        writer.write_table(described)
        end = sink.tell()
        sink.write(data[end:])
    return sink.getvalue(), Region(begin=at, end=end)


def _described(table: Table, rows: pa.Table, before: Region | None) -> dict[str, str]:
    """A file's metadata: which table it is of, the newest version in it, where the version before lies."""
    return {
        "table": table.name,
        "doc": table.doc,
        "newest_version": str(pc.max(rows[VERSION]).as_py()),
        BEFORE: f"{before.begin}-{before.end}" if before else "",
    }
