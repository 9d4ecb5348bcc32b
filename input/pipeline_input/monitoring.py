"""What vmstat shows of this machine, once per interval.

Out:  an event of the topic `monitoring` every MONITORING_INTERVAL_S, about the time since the one before; the first
      look at the counters gives none, for there is nothing to compare it with.
Kept waiting (the queue is gone and the buffer is full, or the machine slept), it leaves out samples: the next one is
about all the time since the last, so rates and percentages stay true averages. In a container it shows the host.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Annotated

from pipeline_queue.clock import Clock
from pipeline_queue.events import event_id, event_type
from pipeline_queue.topics import MONITORING
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from pipeline_input.pacing import SECOND_NS, Batch, wait_until
from pipeline_input.source import Source, SourceSettings
from pipeline_input.vmstat import Counters, columns, read_counters


class MonitoringSettings(SourceSettings):
    model_config = SettingsConfigDict(env_prefix="MONITORING_")

    interval_s: Annotated[float, Field(validation_alias="MONITORING_INTERVAL_S", ge=0.1, le=3600)] = 1.0
    """Seconds between two samples, 0.1 to 3,600."""
    host: Annotated[
        str, Field(validation_alias="MONITORING_HOST", min_length=1, max_length=255, default_factory=socket.gethostname)
    ]
    """What the column `host` says; the machine's name if unset, which in a container is the container's."""


def batches(settings: MonitoringSettings, clock: Clock, producer: str) -> Iterator[Batch]:
    """One sample a batch."""
    return samples(settings, clock, producer, read_counters)


def samples(settings: MonitoringSettings, clock: Clock, producer: str, read: Callable[[], Counters]) -> Iterator[Batch]:
    """The same from counters that `read` gives."""
    make = event_type(MONITORING)
    interval_ns = round(settings.interval_s * SECOND_NS)
    before, due_ns, seq = read(), clock.now_ns() + interval_ns, 0
    while True:
        yield from wait_until(clock, due_ns)
        after, now_ns = read(), clock.now_ns()
        due_ns += interval_ns * (1 + (now_ns - due_ns) // interval_ns)
        yield (
            make(
                event_id=event_id(producer, seq),
                time_ns=now_ns,
                producer=producer,
                seq=seq,
                host=settings.host,
                **columns(before, after),
            ),
        )
        before, seq = after, seq + 1


SOURCE = Source(
    name="monitoring",
    title="What vmstat shows of this machine, once a second",
    topic=MONITORING,
    settings=MonitoringSettings,
    batches=batches,
)
