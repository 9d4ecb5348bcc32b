"""Chunks: some ten thousand rows of one topic that go into the table together.

In:   records of a topic, in order.
Out:  chunks of whole records: each has `rows_max` rows or up to a block more, the last one fewer. Records are decoded when the
      database asks for rows, so that decoding goes on while it works.
A chunk knows of each row which line of which record it was, so that a row which the database refuses becomes a dead
letter of that origin.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from pipeline_queue.brokers import Record
from pipeline_queue.codec import decode
from pipeline_queue.dead_letters import DeadLetter
from pipeline_queue.events import Event
from pipeline_queue.topics import Topic

BATCH_ROWS = 1000
"""Some 100 KB of text: the database gets to work on it while the next is made."""


def chunks(topic: Topic, records: Iterable[Record], rows_max: int) -> Iterator[Chunk]:
    """What one did not come to decode, because the database refused it before, is the next one's."""
    left = iter(records)
    for first in left:
        yield Chunk(topic, chain([first], left), rows_max)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A record whose events begin at `first` of the chunk's."""

    first: int
    record: Record
    dead: list[DeadLetter]


class Chunk:
    """See `Rows`. `events`, `late` (how many of them were) and `dead` are of what was decoded so far."""

    def __init__(self, topic: Topic, records: Iterator[Record], rows_max: int) -> None:
        self.events: list[Event] = []
        self.dead: list[DeadLetter] = []
        self.late = 0
        self._topic, self._records, self._rows_max = topic, records, rows_max
        self._pieces: list[_Piece] = []

    def batches(self) -> Iterator[list[Event]]:
        start = 0
        while self._decoded_beyond(start + BATCH_ROWS):
            yield self.events[start : start + BATCH_ROWS]
            start += BATCH_ROWS
        if start < len(self.events):
            yield self.events[start:]

    def part(self, start: int, stop: int) -> Part:
        return Part(self.events[start:stop])

    def letter(self, row: int, reason: str) -> DeadLetter:
        """The dead letter of that row."""
        piece = self._pieces[bisect_right(self._pieces, row, key=lambda each: each.first) - 1]
        dead = {each.line for each in piece.dead}
        lines = ((number, line) for number, line in enumerate(piece.record.value.split(b"\n")) if number not in dead)
        number, line = next(islice(lines, row - piece.first, None))
        return DeadLetter.of(piece.record, line=number, raw=line, reason=reason)

    def read_by_partition(self) -> dict[int, int]:
        """How many events came from each."""
        counts: dict[int, int] = {}
        for piece, end in zip(
            self._pieces, [*(each.first for each in self._pieces[1:]), len(self.events)], strict=True
        ):
            counts[piece.record.partition] = counts.get(piece.record.partition, 0) + end - piece.first
        return counts

    def _decoded_beyond(self, rows: int) -> bool:
        """Whether there are that many, after as much decoding as that takes and the chunk's size allows."""
        while len(self.events) < min(rows, self._rows_max) and (record := next(self._records, None)):
            decoded = decode(self._topic, record)
            self._pieces.append(_Piece(first=len(self.events), record=record, dead=decoded.dead))
            self.events += decoded.events
            self.dead += decoded.dead
            self.late += sum(decoded.late)
        return len(self.events) >= rows


@dataclass(frozen=True, slots=True)
class Part:
    """See `Rows`; events of a chunk that are decoded already."""

    events: list[Event]

    def batches(self) -> Iterator[list[Event]]:
        yield self.events
