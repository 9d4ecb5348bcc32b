"""One turn at a table: read what is new, put it, bury what cannot be put, keep where to go on, commit.

In:   a broker, a database, the table of an event type.
Out:  what was loaded; None while another loader is at this table.
Raises QueueUnavailable and DatabaseUnavailable: then nothing was loaded, or all of the turn. Dead letters are on the queue
before the commit; should it fail, they are published again, under the same ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, TypeAlias

from pipeline_queue.brokers import Broker
from pipeline_queue.clock import Clock
from pipeline_queue.dead_letters import DeadLetter, bury
from pipeline_queue.events import Event

from pipeline_output.loader.chunk import Chunk, chunks
from pipeline_output.loader.database import Database, Progress, Turn
from pipeline_output.loader.event_table import EventTable
from pipeline_output.loader.placing import Placed, place
from pipeline_output.loader.reading import Reading, read_on

NEWEST_ROWS = 5
"""So many of a turn are remembered, for people to see."""

Step: TypeAlias = Literal["before read", "after read", "before copy", "after copy", "before commit", "after commit"]


def no_step(_: Step) -> None:
    """Nothing happens between the steps."""


def leave_unburied(_: Broker, letters: list[DeadLetter]) -> None:
    """Of a place beside another, which buries at least the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """What a turn works with; `bury` puts dead letters on the queue, `step` is told of each step, and may raise where a crash is to be tried."""

    broker: Broker
    database: Database
    clock: Clock
    chunk_rows: int
    bury: Callable[[Broker, list[DeadLetter]], None] = bury
    step: Callable[[Step], None] = no_step

    def close(self) -> None:
        self.database.close()
        self.broker.close()


@dataclass(slots=True, kw_only=True)
class Loaded:
    """Of one turn. `events` were taken by the table, `new` of them were not there yet; `left_events` wait still, as
    counted by what a message held in this turn; `newest` are the last events that were taken, the last one first."""

    new: int = 0
    late: int = 0
    events: Counter[int] = field(default_factory=Counter)
    dead: Counter[int] = field(default_factory=Counter)
    gone: int = 0
    left_events: int = 0
    has_more: bool = False
    newest: list[Event] = field(default_factory=list)

    def note(self, chunk: Chunk, placed: Placed, letters: list[DeadLetter]) -> None:
        """`letters` are the chunk's dead lines, and then the rows that were refused."""
        self.new += placed.new
        self.late += chunk.late
        self.dead.update(letter.partition for letter in letters)
        self.events.update(chunk.read_by_partition())
        self.events.subtract(letter.partition for letter in letters[len(chunk.dead) :])
        taken = (chunk.events[row] for row in reversed(range(len(chunk.events))) if row not in placed.refused)
        self.newest = [*islice(taken, NEWEST_ROWS), *self.newest][:NEWEST_ROWS]


def take_turn(loading: Loading, table: EventTable) -> Loaded | None:
    with loading.database.turn(table) as turn:
        if turn is None:
            return None
        progress = turn.progress()
        loading.step("before read")
        reading = read_on(loading.broker, table.topic, progress)
        loading.step("after read")
        loaded = Loaded(gone=sum(reading.gone.values()), has_more=reading.has_more)
        for chunk in chunks(table.topic, reading.records, loading.chunk_rows):
            loading.step("before copy")
            _load(loading, turn, chunk, loaded)
            loading.step("after copy")
        if reading.records:
            loaded.left_events = round(reading.left * loaded.events.total() / len(reading.records))
        turn.keep(_advanced(table, progress, reading, (loaded, loading.clock.now_ns())))
        loading.step("before commit")
    loading.step("after commit")
    return loaded


def _load(loading: Loading, turn: Turn, chunk: Chunk, loaded: Loaded) -> None:
    placed = place(turn.put, chunk)
    letters = [*chunk.dead, *(chunk.letter(row, reason) for row, reason in placed.refused.items())]
    loading.bury(loading.broker, letters)
    loaded.note(chunk, placed, letters)


def _advanced(
    table: EventTable, progress: Mapping[int, Progress], reading: Reading, of: tuple[Loaded, int]
) -> list[Progress]:
    """Of the partitions of which something was read, or is gone."""
    loaded, now_ns = of
    before = {each: progress.get(each) or Progress(topic=table.topic.name, partition=each) for each in reading.nexts}
    return [
        Progress(
            topic=table.topic.name,
            partition=partition,
            next_offset=reading.nexts[partition],
            loaded_at_ns=now_ns,
            events=known.events + loaded.events[partition],
            dead=known.dead + loaded.dead[partition],
            gone=known.gone + reading.gone.get(partition, 0),
        )
        for partition, known in before.items()
        if known.next_offset != reading.nexts[partition]
    ]
