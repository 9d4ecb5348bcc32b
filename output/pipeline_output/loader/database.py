"""What every database does for the loader, whichever engine it is.

A turn is a transaction that alone may load one table: it reads where the queue was left, puts rows, and keeps where to
go on; all of it is there afterwards, or nothing. So a crash at any instant neither loses nor doubles. A database object belongs
to one thread; open one for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from typing import Protocol

from pipeline_queue.events import Event

from pipeline_output.loader.event_table import EventTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one partition of a topic is loaded; the counts are since ever."""

    topic: str
    partition: int
    next_offset: int = 0
    loaded_at_ns: int = 0
    events: int = 0
    """Those that the tables took, repeats among them."""
    dead: int = 0
    """Lines that were no events, and rows that the database refused."""
    gone: int = 0
    """Messages that retention took before they were read."""


OFFSET_COLUMNS = tuple(field.name for field in fields(Progress))
"""Of the table `load_offsets`."""


class Rows(Protocol):
    """Events on their way into a table; may be asked for more than once, and may be made while they are asked for."""

    def batches(self) -> Iterator[Sequence[Event]]:
        """All of them in order, some thousand at a time."""


class Turn(Protocol):
    def progress(self) -> Mapping[int, Progress]:
        """By partition; a partition that was never loaded is not there."""

    def put(self, rows: Rows) -> int:
        """Add the rows whose keys are not there yet, and say how many those were.

        Raises RowsRefused if the database does not take one of them: then none of this call is kept, and the turn
        goes on.
        """

    def keep(self, progress: Iterable[Progress]) -> None:
        """Where the next turn goes on."""


class Database(Protocol):
    url: str
    """Without a password, for messages."""

    def prepare(self, tables: Iterable[EventTable]) -> None:
        """Make what is not there yet and add columns that were declared since; rows stay as they are.

        Raises TableUnfit, and TableHeldUp where we may not do it; then nothing was made.
        """

    def turn(self, table: EventTable) -> AbstractContextManager[Turn | None]:
        """Commit at the end of the block, keep nothing if it raises; None while another loader is at this table.

        Raises DatabaseUnavailable and TableHeldUp, also out of the turn's methods. If that comes at the end, all of the turn may be there; the
        next turn's progress says so.
        """

    def progress(self) -> list[Progress]:
        """All of it, by topic and partition; empty where nothing was ever loaded."""

    def close(self) -> None:
        """Let go of connections and files; an open turn keeps nothing."""
