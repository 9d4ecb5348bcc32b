"""Answers to job requests.

In:   events on `job-requests`, the queries that run, and the runs of the batch jobs.
Out:  events on `job-results`: `refused` at once for a name that JOBS does not hold; for a streaming job `running`, and
      `finished` when each of its queries has written a batch since and no store of theirs is away, or `failed` when that is
      not so within PATIENCE_S; for a batch job `running`, and what became of the run.
Where reading goes on is committed when no request waits any more, so a request is answered at least once. What is no
request goes to the dead letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline_queue.brokers import Broker
from pipeline_queue.clock import Clock
from pipeline_queue.codec import blocks, decode_all
from pipeline_queue.dead_letters import bury
from pipeline_queue.events import Event, event_id, event_type, new_producer
from pipeline_queue.topics import JOB_REQUESTS, JOB_RESULTS

from pipeline_processing.batch_runs import BatchRuns
from pipeline_processing.errors import UnknownJob
from pipeline_processing.figures import Batch
from pipeline_processing.forwarding import Forwarder
from pipeline_processing.jobs import BatchJob, job
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

    def __init__(
        self, broker: Broker, clock: Clock, runs: Sequence[BatchRuns] = (), handing_on: Sequence[Forwarder] = ()
    ) -> None:
        self._broker, self._clock, self._handing_on = broker, clock, handing_on
        self._runs = {each.job.name: each for each in runs}
        self._asked: dict[str, Event] = {}
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
        if not self._open and not self._asked and self._positions != self._committed:
            self._broker.commit(GROUP, JOB_REQUESTS.name, self._positions)
            self._committed = dict(self._positions)

    def note(self, batches: list[Batch], queries: Queries) -> None:
        """Tell who waits what the queries and the runs did."""
        for answer in [answer for runs in self._runs.values() for answer in runs.answers()]:
            if request := self._asked.pop(answer.request_id, None):
                self._say(request, answer.state, answer.message)
        for waiting in list(self._open):
            waiting.waits_for -= {batch.query for batch in batches if batch.rows}
            waiting.rows += sum(batch.rows for batch in batches if batch.query in waiting.queries)
            away = [said for each in self._handing_on for said in each.troubles(waiting.request.job)]
            if not waiting.waits_for and not away:
                self._close(waiting, "finished", f"it streams on; {waiting.rows:,} rows written since you asked")
            elif self._clock.now_ns() > waiting.deadline_ns:
                self._close(waiting, "failed", _reason(waiting, away or queries.troubles()))

    def _take(self, request: Event, queries: Queries) -> None:
        try:
            wanted = job(request.job)
        except UnknownJob as refusal:
            self._say(request, "refused", str(refusal))
            return
        if isinstance(wanted, BatchJob):
            self._ask(request, wanted)
            return
        names = {kept.context.query_name for kept in queries.of(wanted.name)}
        self._say(request, "running", f"{wanted.title}: {', '.join(sorted(names))}")
        deadline_ns = self._clock.now_ns() + round(PATIENCE_S * 1e9)
        self._open.append(_Open(request=request, deadline_ns=deadline_ns, queries=frozenset(names), waits_for=names))

    def _ask(self, request: Event, wanted: BatchJob) -> None:
        self._say(request, "running", wanted.title)
        self._asked[request.request_id] = request
        self._runs[wanted.name].ask(request.request_id)

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


def _reason(waiting: _Open, troubles: Sequence[str]) -> str:
    if not waiting.waits_for:
        return f"{waiting.rows:,} rows written since you asked, but {'; '.join(troubles)}"
    names = ", ".join(sorted(waiting.waits_for))
    return f"nothing was written by {names}: {'; '.join(troubles) or 'no events came; does its source run'}"
