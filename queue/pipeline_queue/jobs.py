"""Asking for a job and hearing what became of it, both over the queue.

In:   a job's name.
Out:  a request on `job-requests`; the results on `job-results` that carry its id, until one is final.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from pipeline_queue.brokers.protocol import Broker
from pipeline_queue.clock import Clock
from pipeline_queue.codec import blocks, decode_all
from pipeline_queue.events import Event, event_id, event_type, new_producer
from pipeline_queue.topics import JOB_REQUESTS, JOB_RESULTS

FINAL = frozenset({"finished", "failed", "refused"})


def request(broker: Broker, job: str, clock: Clock) -> str:
    """Publish a request for `job`; its id."""
    request_id = secrets.token_hex(8)
    producer = new_producer("submit")
    event = event_type(JOB_REQUESTS)(
        event_id=event_id(producer, 0),
        time_ns=clock.now_ns(),
        producer=producer,
        seq=0,
        request_id=request_id,
        job=job,
    )
    broker.publish(JOB_REQUESTS.name, blocks(JOB_REQUESTS, [event]))
    return request_id


def results(broker: Broker, request_id: str, *, wait_s: float, clock: Clock) -> Iterator[Event]:
    """The results of the request as they come; ends after a final one, or when none came for `wait_s`."""
    positions = broker.begin_offsets(JOB_RESULTS.name)
    give_up_ns = clock.now_ns() + round(wait_s * 1e9)
    while clock.now_ns() < give_up_ns:
        records = broker.read(JOB_RESULTS.name, positions, wait_s=0.5)
        positions.update({record.partition: record.offset + 1 for record in records})
        for event in decode_all(JOB_RESULTS, records).events:
            if event.request_id == request_id:
                yield event
                if event.state in FINAL:
                    return
                give_up_ns = clock.now_ns() + round(wait_s * 1e9)
