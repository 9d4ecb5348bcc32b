"""The loop around a dataset: look what the topic holds, publish what it lacks, and end.

In:   a part of a dataset, whose events always have the same ids.
Out:  all of its events on the queue; in the ledger what was made, before the publish, and what was acknowledged, after.
Run again, it finds everything there and publishes nothing; killed and run again, it publishes exactly what is missing.
After an attempt that ended in QueueUnavailable it looks again, so what had arrived is not sent a second time. What is
sent again may still be there twice, if the first attempt arrives after the look, or if two of these loops run at the
same time; it then has one event id, the ledger says `repeated` in the first case, and the census job counts it once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from pipeline_queue.codec import blocks, decode_all
from pipeline_queue.errors import QueueUnavailable
from pipeline_queue.ledger import Entry

from pipeline_input.outlet import Outlet
from pipeline_input.pacing import BACKOFF_S, PATIENCE_S, SECOND_NS
from pipeline_input.source import Part

EVENTS_PER_PUBLISH = 500
"""A block of some 80 kB each: the census takes eleven, so figures grow while it runs, and a kill costs little."""
READ_WAIT_S = 1.0

log = logging.getLogger(__name__)


def complete(part: Part, outlet: Outlet, stopped: Callable[[], bool]) -> bool:
    """Return when the topic holds all of `part`: True, or when `stopped()`, which may be before: False."""
    completion, failures = _Completion(part, outlet), 0
    while not stopped():
        try:
            return completion.publish_lacking(stopped)
        except QueueUnavailable as error:
            if not failures:
                log.warning("%s; what is missing is published when it is back", error)
            outlet.service.doing = "waiting for the queue"
            _wait(outlet, BACKOFF_S[min(failures, len(BACKOFF_S) - 1)], stopped)
            failures += 1
    return False


class _Completion:
    """What is known of the events: `_unsure` are those of attempts whose outcome nobody told."""

    def __init__(self, part: Part, outlet: Outlet) -> None:
        self._part, self._outlet = part, outlet
        self._unsure: set[int] = set()
        self._left = len(part.rows)

    def publish_lacking(self, stopped: Callable[[], bool]) -> bool:
        """Whether all of it was done before `stopped()`."""
        lacking = self._lacking()
        for seqs in _runs(lacking, EVENTS_PER_PUBLISH):
            if stopped():
                return False
            self._publish(seqs)
        return True

    def _lacking(self) -> list[int]:
        service = self._outlet.service
        service.beat(f"looking what `{self._part.topic.name}` holds")
        there = self._there()
        for seqs in _runs(sorted(self._unsure & there)):
            self._acknowledged(seqs)
        lacking = [seq for seq in range(len(self._part.rows)) if seq not in there]
        self._left = len(lacking)
        service.set_lag(self._left)
        return lacking

    def _there(self) -> set[int]:
        """The numbers of the rows that the topic holds."""
        topic, broker, found = self._part.topic, self._outlet.broker, set[int]()
        positions, ends = broker.begin_offsets(topic.name), broker.end_offsets(topic.name)
        while any(positions[partition] < end for partition, end in ends.items()):
            records = broker.read(topic.name, positions, wait_s=READ_WAIT_S)
            positions |= {record.partition: record.offset + 1 for record in records}
            events = decode_all(topic, records).events
            found |= {event.seq for event in events if event.producer == self._part.producer}
            self._outlet.service.beat()
        return found

    def _publish(self, seqs: range) -> None:
        outlet, topic = self._outlet, self._part.topic
        again = sorted(self._unsure.intersection(seqs))
        for repeated in _runs(again):
            self._note("repeated", repeated)
        self._note("made", seqs)
        outlet.service.count_in(len(seqs) - len(again))
        self._unsure.update(seqs)
        outlet.broker.publish(topic.name, blocks(topic, self._part.events(seqs, outlet.clock.now_ns())))
        self._acknowledged(seqs)
        outlet.service.beat(f"publishing on `{topic.name}`")

    def _acknowledged(self, seqs: range) -> None:
        self._note("acknowledged", seqs)
        self._unsure.difference_update(seqs)
        self._left -= len(seqs)
        self._outlet.service.count_out(len(seqs))
        self._outlet.service.set_lag(self._left)

    def _note(self, what: Literal["made", "acknowledged", "repeated"], seqs: range) -> None:
        self._outlet.ledger.note(
            Entry(
                producer=self._outlet.producer,
                what=what,
                first_seq=seqs[0],
                last_seq=seqs[-1],
                time_ns=self._outlet.clock.now_ns(),
            )
        )


def _runs(seqs: Iterable[int], length_max: int | None = None) -> Iterator[range]:
    """Ascending numbers as ranges without a gap, none longer than `length_max`."""
    run = range(0)
    for seq in seqs:
        if run and (seq != run.stop or len(run) == length_max):
            yield run
            run = range(0)
        run = range(run.start if run else seq, seq + 1)
    if run:
        yield run


def _wait(outlet: Outlet, seconds: float, stopped: Callable[[], bool]) -> None:
    until_ns = outlet.clock.now_ns() + round(seconds * SECOND_NS)
    while (left_s := (until_ns - outlet.clock.now_ns()) / SECOND_NS) > 0 and not stopped():
        outlet.clock.sleep(min(left_s, PATIENCE_S))
