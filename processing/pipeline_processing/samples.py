"""What jobs hold, a piece of it to look at, for the pages.

In:   the batches that queries report, each with a sample of what it summed up.
Out:  events on `samples`, the newest sample of each job that has news, at most one in SAMPLE_EVERY_S.
A job may have several queries; which of them a sample comes from does not matter, for they read the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline_queue.brokers import Broker
from pipeline_queue.clock import Clock
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_id, event_type, new_producer
from pipeline_queue.topics import SAMPLES

from pipeline_processing.figures import Batch
from pipeline_processing.queries import Queries

SAMPLE_EVERY_S = 1.0


class Samples:
    """Call `note` in the driver's loop."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker, self._clock = broker, clock
        self._producer, self._seq = new_producer("processing"), 0
        self._waiting: dict[str, str] = {}
        self._due_ns: dict[str, int] = {}

    def note(self, batches: Iterable[Batch], queries: Queries) -> None:
        job_of = {kept.context.query_name: kept.job.name for kept in queries.kept}
        self._waiting |= {job_of[batch.query]: batch.sample for batch in batches if batch.sample}
        now_ns = self._clock.now_ns()
        due = {job: sample for job, sample in self._waiting.items() if now_ns >= self._due_ns.get(job, 0)}
        if due:
            self._publish(due, now_ns)

    def _publish(self, samples: dict[str, str], now_ns: int) -> None:
        make = event_type(SAMPLES)
        events = [
            make(
                event_id=event_id(self._producer, seq),
                time_ns=now_ns,
                producer=self._producer,
                seq=seq,
                job=job,
                sample=sample,
            )
            for seq, (job, sample) in enumerate(samples.items(), self._seq)
        ]
        self._broker.publish(SAMPLES.name, blocks(SAMPLES, events))
        self._seq += len(events)
        for job in samples:
            del self._waiting[job]
            self._due_ns[job] = now_ns + round(SAMPLE_EVERY_S * 1e9)
