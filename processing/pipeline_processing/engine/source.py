"""Where a task's points come from."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pipeline_queue.brokers import Broker, Record
from pipeline_queue.errors import OffsetGone

from pipeline_processing.engine.journal import Taken
from pipeline_processing.engine.portion import Portion
from pipeline_processing.engine.ring import Ring

LOG = logging.getLogger(__name__)
Place: TypeAlias = tuple[str, int]
"""A topic and its partition."""
RECORDS_MAX = 50
"""That a task which is behind reads at once."""
ROWS_MAX = 200_000
"""That wait in front of a task which is fed directly."""
Decode: TypeAlias = Callable[[Record], Sequence[Portion]]


class Source(Protocol):
    positions: Mapping[Place, int]
    """What is read next."""

    def read(self, *, rows: int, wait_s: float) -> list[Portion]:
        """Up to about so many rows; an empty list after `wait_s`, or when woken."""

    def read_exactly(self, taken: Sequence[Taken]) -> list[Portion]:
        """What an earlier step took; raises OffsetGone, and reads nothing, where the queue has it no more."""

    def is_done(self) -> bool:
        """Whether nothing will come any more."""

    def has_caught_up(self) -> bool:
        """Whether all is read that was there when this began."""

    def has_skipped(self) -> bool:
        """Whether, since this was asked last, something was gone before it was read."""

    def wake(self) -> None:
        """End a `read` that waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """Where a task begins to read, and where the queue ended then."""

    positions: Mapping[Place, int]
    ends: Mapping[Place, int]


class LogSource:
    """A task's own place in the queue: at the ring while it keeps up, in the log when it does not."""

    def __init__(self, ring: Ring, began: Began, *, open_broker: Callable[[], Broker], decode: Decode) -> None:
        self.positions, self._ends = dict(began.positions), dict(began.ends)
        self._ring, self._open, self._decode = ring, open_broker, decode
        self._cursor = 0
        self._skipped = False
        self._broker: Broker | None = None

    def read(self, *, rows: int, wait_s: float) -> list[Portion]:
        found = self._ring.read(self._cursor, self.positions, rows=rows, wait_s=wait_s)
        if found is None:
            self._cursor = 0
            return self._from_log()
        self._cursor, portions = found
        self._went(portions)
        return portions

    def read_exactly(self, taken: Sequence[Taken]) -> list[Portion]:
        portions = []
        for each in taken:
            at = each.start
            while at < each.stop:
                records = self._log().read(each.topic, {each.partition: at}, wait_s=1.0, limit=each.stop - at)
                portions.extend(portion for record in records for portion in self._decode(record))
                at = records[-1].offset + 1 if records else at
        self.positions.update({(each.topic, each.partition): each.stop for each in taken})
        return portions

    def is_done(self) -> bool:
        return False

    def has_caught_up(self) -> bool:
        return all(self.positions[place] >= end for place, end in self._ends.items())

    def has_skipped(self) -> bool:
        skipped, self._skipped = self._skipped, False
        return skipped

    def wake(self) -> None:
        self._ring.wake()

    def _from_log(self) -> list[Portion]:
        found: list[Portion] = []
        for topic in {topic for topic, _ in self.positions}:
            start = {partition: offset for (each, partition), offset in self.positions.items() if each == topic}
            try:
                records = self._log().read(topic, start, limit=RECORDS_MAX)
            except OffsetGone as error:
                LOG.error("%s", error)
                self._skip(topic)
                continue
            for record in records:
                found.extend(self._decode(record))
                self.positions[topic, record.partition] = record.offset + 1
        return found

    def _skip(self, topic: str) -> None:
        """Go on with the oldest that is left."""
        self._skipped = True
        for partition, offset in self._log().begin_offsets(topic).items():
            if (topic, partition) in self.positions:
                self.positions[topic, partition] = max(offset, self.positions[topic, partition])

    def _log(self) -> Broker:
        if self._broker is None:
            self._broker = self._open()
        return self._broker

    def _went(self, portions: Sequence[Portion]) -> None:
        for portion in portions:
            self.positions[portion.place] = portion.offset + 1


class DirectSource:
    """Portions handed over in memory: a replay's, a test's. Whoever feeds waits while ROWS_MAX are not read yet; what comes after
    the end is lost."""

    def __init__(self) -> None:
        self.positions: dict[Place, int] = {}
        self._waiting: deque[Portion] = deque()
        self._rows = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, portion: Portion) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._rows < ROWS_MAX or self._closed)
            if self._closed:
                return
            self._waiting.append(portion)
            self._rows += len(portion)
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing comes any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def read(self, *, rows: int, wait_s: float) -> list[Portion]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, wait_s)
            found: list[Portion] = []
            while self._waiting and rows > 0:
                found.append(self._waiting.popleft())
                rows -= len(found[-1])
            self._rows -= sum(map(len, found))
            self._changed.notify_all()
            return found

    def read_exactly(self, taken: Sequence[Taken]) -> list[Portion]:
        return []

    def has_caught_up(self) -> bool:
        return True

    def has_skipped(self) -> bool:
        return False

    def is_done(self) -> bool:
        with self._changed:
            return self._closed and not self._waiting

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
