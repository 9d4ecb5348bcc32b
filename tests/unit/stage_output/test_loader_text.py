"""A file in COPY's text format, and which row of it is which line of which record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from loading import NOTE, NOW_NS, note
from pipeline_output.loader.chunk import Chunk, chunks
from pipeline_output.loader.copy_text import CopyText
from pipeline_queue.brokers import Record
from pipeline_queue.codec import encode
from pipeline_queue.events import Event


@dataclass(frozen=True, slots=True)
class Given:
    parts: list[list[Event]]

    def batches(self) -> Iterator[Sequence[Event]]:
        return iter(self.parts)


def whole(parts: list[list[Event]], size: int) -> bytes:
    text, found = CopyText(Given(parts), NOTE.columns), []
    while block := text.read(size):
        found.append(bytes(block))
    assert all(len(block) <= size for block in found)
    return b"".join(found)


def test_a_row_is_a_line_with_tabs_between_its_values_and_backslashes_before_what_would_end_them() -> None:
    (event,) = [note(7, client="\\N", order="a\tb\\c\nd\re")]
    line = rf"\\N	p-000000000007	{NOW_NS}	1	7	7	a\tb\\c\nd\re"
    assert whole([[event]], 1000) == line.encode() + b"\n"


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_reading_by_any_size_gives_the_same_text(size: int) -> None:
    parts = [[note(1), note(2, order="é")], [note(3, order="\U0001f600")]]
    assert whole(parts, size) == b"".join(whole([part], 100_000) for part in parts)


def record(offset: int, value: bytes) -> Record:
    return Record(topic=NOTE.topic.name, partition=offset % 2, offset=offset, append_time_ns=NOW_NS, value=value)


def test_a_chunk_holds_whole_records_and_closes_once_it_has_enough_rows() -> None:
    records = [record(n, encode([note(seq) for seq in range(n * 4, n * 4 + 4)])) for n in range(5)]
    found = [[event.seq for batch in chunk.batches() for event in batch] for chunk in chunks(NOTE.topic, records, 6)]
    assert found == [[*range(8)], [*range(8, 16)], [*range(16, 20)]]


def test_a_chunk_gives_the_same_rows_each_time_however_far_it_was_read_before() -> None:
    chunk = Chunk(
        NOTE.topic, iter([record(n, encode([note(n * 900 + k) for k in range(900)])) for n in range(4)]), 3600
    )
    first = next(chunk.batches())
    again = [event.seq for batch in chunk.batches() for event in batch]
    assert ([event.seq for event in first], again) == ([*range(1000)], [*range(3600)])


def test_a_rows_letter_is_its_line_though_lines_before_it_are_none() -> None:
    lines = [b"", *encode([note(1), note(2)]).splitlines(), b"no JSON", encode([note(3)]).strip()]
    chunk = Chunk(NOTE.topic, iter([record(0, encode([note(0)])), record(1, b"\n".join(lines))]), 100)
    assert sum(len(batch) for batch in chunk.batches()) == 4
    found = [(chunk.letter(row, "why").letter_id, chunk.letter(row, "why").raw) for row in range(4)]
    assert found == [
        ("events-note/0/0/0", encode([note(0)]).strip()),
        ("events-note/1/1/1", lines[1]),
        ("events-note/1/1/2", lines[2]),
        ("events-note/1/1/4", lines[4]),
    ]
    assert chunk.read_by_partition() == {0: 1, 1: 3}
