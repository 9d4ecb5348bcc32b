"""What a reader has taken in of each producer, so that what was sent again counts once.

A producer that did not learn what became of a publish sends it again, marked as repeated (decision 8). So of a marked message
counts what was not heard before; of any other all counts, but what a marked one had already, as an attempt may arrive after
the one that follows it. What was heard is kept as runs of numbers, as a rule one run a producer.
In:   what messages say of their sender, in the order of each partition.
Out:  which rows count.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import itemgetter
from typing import TypeAlias

import numpy as np
from pipeline_queue.brokers import Record
from pipeline_queue.codec import is_repeated
from pipeline_queue.events import Event
from pipeline_queue.points.message_ids import id_of
from pipeline_queue.runs import Run

from pipeline_processing.points.frame import Rows

PRODUCERS_MAX = 1_000
"""Each start of a service is a producer, in some 100 bytes; one that is not heard of for longer than so many is forgotten."""
RUNS_MAX = 1_000
"""Of a producer: its newest ones. There are several only while partitions of a topic are read at different speeds."""
Runs: TypeAlias = dict[str, list[Run]]
_first, _last = itemgetter(0), itemgetter(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Who sent a record's rows: each row has a number, or all have one together. Nothing is said of rows that have none."""

    spans: Sequence[tuple[str, Run]] = ()
    """In the order of the rows."""
    is_again: bool = False

    @classmethod
    def of_message(cls, record: Record) -> Sent:
        """Of a block of points, which was sent whole or not at all."""
        if not record.headers or (found := id_of(record)) is None:
            return cls()
        producer, number = found
        return cls(spans=((producer, (number, number)),), is_again=is_repeated(record))

    @classmethod
    def of_events(cls, record: Record, events: Sequence[Event]) -> Sent:
        spans: list[tuple[str, Run]] = []
        for event in events:
            producer, (begin, end) = spans[-1] if spans else ("", (0, 0))
            if event.producer == producer and event.seq == end + 1:
                spans[-1] = (producer, (begin, event.seq))
            else:
                spans.append((event.producer, (event.seq, event.seq)))
        return cls(spans=spans, is_again=bool(record.headers) and is_repeated(record))

    def numbers(self) -> Iterator[tuple[str, int]]:
        for producer, (begin, end) in self.spans:
            yield from zip(repeat(producer), range(begin, end + 1))


NOBODY = Sent()


@dataclass(slots=True)
class Heard:
    """Of one reader, a part of its state."""

    _all: Runs = field(default_factory=dict)
    _again: Runs = field(default_factory=dict)
    """In marked messages alone."""

    def new_rows(self, sent: Sent, rows: int) -> Rows | None:
        """Those of the record's `rows` that count; None where all do. They are heard from now on."""
        known = self._all if sent.is_again else self._again
        found = None
        if known and any(_meets(known.get(producer, ()), run) for producer, run in sent.spans):
            is_new = [not _meets(known.get(producer, ()), (number, number)) for producer, number in sent.numbers()]
            found = np.flatnonzero(np.broadcast_to(is_new, rows))
        for producer, run in sent.spans:
            _add(self._all, producer, run)
            if sent.is_again:
                _add(self._again, producer, run)
        return found


def _meets(runs: Sequence[Run], run: Run) -> bool:
    """Whether they have a number in common."""
    at = bisect_left(runs, run[0], key=_last)
    return at < len(runs) and runs[at][0] <= run[1]


def _add(to: Runs, producer: str, run: Run) -> None:
    runs = to.pop(producer, None) or []
    to[producer] = runs  # the last one now
    begin = bisect_left(runs, run[0] - 1, key=_last)
    end = bisect_right(runs, run[1] + 1, key=_first)
    joined = (min(run[0], runs[begin][0]), max(run[1], runs[end - 1][1])) if begin < end else run
    runs[begin:end] = [joined]
    if len(runs) > RUNS_MAX:
        del runs[0]
    if len(to) > PRODUCERS_MAX:
        del to[next(iter(to))]
