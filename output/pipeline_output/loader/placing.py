"""A chunk into its table, less the rows that the database refuses.

In:   a chunk, and what puts rows and raises RowsRefused.
Out:  how many rows are new, and of each refused one its place and the database's reason.
A refused chunk is halved until what is refused is one row: a bad row among n costs 2 log2 n further attempts, not n.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline_output.errors import RowsRefused
from pipeline_output.loader.chunk import Chunk
from pipeline_output.loader.database import Rows


@dataclass(slots=True, kw_only=True)
class Placed:
    """`refused` is by row of the chunk, in order."""

    new: int = 0
    refused: dict[int, str] = field(default_factory=dict)


def place(put: Callable[[Rows], int], chunk: Chunk) -> Placed:
    placed = Placed()
    try:
        placed.new = put(chunk)
    except RowsRefused as refusal:
        _narrow(put, chunk, range(len(chunk.events)), (refusal, placed))
    return placed


def _narrow(put: Callable[[Rows], int], chunk: Chunk, rows: range, so_far: tuple[RowsRefused, Placed]) -> None:
    """Those rows were refused together."""
    refusal, placed = so_far
    if len(rows) == 1:
        placed.refused[rows.start] = str(refusal)
        return
    middle = len(rows) // 2
    for half in (rows[:middle], rows[middle:]):
        try:
            placed.new += put(chunk.part(half.start, half.stop))
        except RowsRefused as again:
            _narrow(put, chunk, half, (again, placed))
