"""What a task says on a topic, each once by its id, though steps are repeated after a crash.

In:      messages with ids, the same whenever a step is repeated; how far the topic was when the snapshot was taken.
Out:     on the topic, those that it does not hold yet.
What an earlier life said after its snapshot is remembered until it is made again; until then snapshots look back as far.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline_queue.brokers import Broker, Message, Record, Term
from pipeline_queue.errors import OffsetGone

IdsOf = Callable[[Record], Iterable[Hashable]]
RECORDS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where it is said, and in which term."""

    broker: Broker
    topic: str
    term: Term | None = None


class Once:
    def __init__(self, way: Way, ids_of: IdsOf, *, since: Mapping[int, int] | None) -> None:
        self._broker, self._topic, self._term, self._ids_of = way.broker, way.topic, way.term, ids_of
        self._since = dict(since) if since else way.broker.end_offsets(way.topic)
        self._ahead = self._found() if since else set()
        self._made: set[Hashable] = set()
        """In this life, since `_since`."""
        self._is_sure = True
        """Whether it is known what became of the last attempt."""

    def reached(self) -> dict[int, int]:
        """Where the topic is looked through from, by whoever goes on from here."""
        if not self._ahead:
            self._since = self._broker.end_offsets(self._topic)
            self._made.clear()
        return dict(self._since)

    def publish(self, ids: Sequence[Hashable], messages_of: Callable[[Sequence[int]], Sequence[Message]]) -> None:
        """`messages_of` makes messages of those at the given positions. Raises QueueUnavailable; may be called again then.

        Raises TermOver where another says these things now.
        """
        if not self._is_sure:
            self._ahead = self._found() - self._made
        new = [at for at, each in enumerate(ids) if each not in self._ahead]
        if new:
            self._is_sure = False
            self._broker.publish(self._topic, messages_of(new), term=self._term)
        self._is_sure = True
        self._made.update(ids)
        self._ahead.difference_update(ids)

    def _found(self) -> set[Hashable]:
        found: set[Hashable] = set()
        ends, at = self._broker.end_offsets(self._topic), dict(self._since)
        while any(at[partition] < ends[partition] for partition in at):
            try:
                records = self._broker.read(self._topic, at, wait_s=1.0, limit=RECORDS_MAX)
            except OffsetGone:
                at = self._left(at)
                continue
            for record in records:
                found.update(self._ids_of(record))
                at[record.partition] = record.offset + 1
        return found

    def _left(self, at: Mapping[int, int]) -> dict[int, int]:
        """The same, or the oldest that the topic still has: a task may have been away for longer than it keeps things."""
        begins = self._broker.begin_offsets(self._topic)
        return {partition: max(offset, begins[partition]) for partition, offset in at.items()}
