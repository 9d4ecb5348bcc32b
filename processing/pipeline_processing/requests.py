"""Answers to job requests.

In:   events on `job-requests`, and the queries that run.
Out:  events on `job-results`: `refused` at once for a name that JOBS does not hold; for a streaming job `running`, and
      `finished` when each of its queries has written a batch since, or `failed` when one has not within PATIENCE_S.
Where reading goes on is committed when no request waits any more, so a request is answered at least once. What is no
request goes to the dead letters.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline_queue.brokers import Broker
from pipeline_queue.clock import Clock
from pipeline_queue.codec import blocks, decode_all
from pipeline_queue.dead_letters import bury
from pipeline_queue.events import Event, event_id, event_type, new_producer
from pipeline_queue.topics import JOB_REQUESTS, JOB_RESULTS

from pipeline_processing.errors import UnknownJob
from pipeline_processing.figures import Batch
from pipeline_processing.jobs import job
from pipeline_processing.queries import Queries

GROUP = "processing"
PATIENCE_S = 30.0


@dataclass(slots=True, kw_only=True)
class _Open:
    """A request for a streaming job whose queries have not all shown that they work."""

    request: Event
    deadline_ns: int
    queries: frozenset[str]
    waits_for: set[str]
    rows: int = field(default=0)


class Requests:
    """Call `answer` in the driver's loop; it waits for requests as long as it is told."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker, self._clock = broker, clock
        self._producer, self._seq = new_producer("processing"), 0
        self._positions = broker.begin_offsets(JOB_REQUESTS.name) | broker.committed(GROUP, JOB_REQUESTS.name)
        self._committed = dict(self._positions)
        self._open: list[_Open] = []

    def answer(self, queries: Queries, *, wait_s: float) -> None:
        records = self._broker.read(JOB_REQUESTS.name, self._positions, wait_s=wait_s)
        decoded = decode_all(JOB_REQUESTS, records)
        bury(self._broker, decoded.dead)
        for request in decoded.events:
            self._take(request, queries)
        self._positions.update({record.partition: record.offset + 1 for record in records})
        if not self._open and self._positions != self._committed:
            self._broker.commit(GROUP, JOB_REQUESTS.name, self._positions)
            self._committed = dict(self._positions)

    def note(self, batches: list[Batch], queries: Queries) -> None:
        """Tell who waits what the queries did."""
        for waiting in list(self._open):
            waiting.waits_for -= {batch.query for batch in batches if batch.rows}
            waiting.rows += sum(batch.rows for batch in batches if batch.query in waiting.queries)
            if not waiting.waits_for:
                self._close(waiting, "finished", f"it streams on; {waiting.rows:,} rows written since you asked")
            elif self._clock.now_ns() > waiting.deadline_ns:
                troubles = "; ".join(queries.troubles()) or "no events came; does its source run"
                self._close(
                    waiting, "failed", f"nothing was written by {', '.join(sorted(waiting.waits_for))}: {troubles}"
                )

    def _take(self, request: Event, queries: Queries) -> None:
        try:
            wanted = job(request.job)
        except UnknownJob as refusal:
            self._say(request, "refused", str(refusal))
            return
        names = {kept.context.query_name for kept in queries.of(wanted.name)}
        self._say(request, "running", f"{wanted.title}: {', '.join(sorted(names))}")
        deadline_ns = self._clock.now_ns() + round(PATIENCE_S * 1e9)
        self._open.append(_Open(request=request, deadline_ns=deadline_ns, queries=frozenset(names), waits_for=names))

    def _close(self, waiting: _Open, state: str, message: str) -> None:
        self._say(waiting.request, state, message)
        self._open.remove(waiting)

    def _say(self, request: Event, state: str, message: str) -> None:
        result = event_type(JOB_RESULTS)(
            event_id=event_id(self._producer, self._seq),
            time_ns=self._clock.now_ns(),
            producer=self._producer,
            seq=self._seq,
            request_id=request.request_id,
            job=request.job[:200],
            state=state,
            message=message[:1000],
        )
        self._seq += 1
        self._broker.publish(JOB_RESULTS.name, blocks(JOB_RESULTS, [result]))
