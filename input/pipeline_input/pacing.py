"""Waiting for a time without falling silent.

A source yields batches. While it waits it yields empty ones, at least every PATIENCE_S, so that the loop above it can
beat, try again what the queue did not take, and stop when asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from pipeline_queue.clock import Clock
from pipeline_queue.events import Event

Batch: TypeAlias = Sequence[Event]

PATIENCE_S = 0.5
BACKOFF_S = (0.5, 1.0, 2.0, 5.0)
"""Between attempts at a queue that is away; the last one from then on."""
SECOND_NS = 1_000_000_000


def wait_until(clock: Clock, time_ns: int) -> Iterator[Batch]:
    """Sleep until `time_ns`, in steps, with an empty batch after each but the last."""
    while (left_s := (time_ns - clock.now_ns()) / SECOND_NS) > 0:
        clock.sleep(min(left_s, PATIENCE_S))
        if left_s > PATIENCE_S:
            yield ()
