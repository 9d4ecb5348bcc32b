"""What Spark's queries report, gathered for the driver's loop.

In:   Spark's listener calls, from a thread of py4j.
Out:  `taken()`: the batches since the last call, and whether a query found nothing to do.
The calls only gather: an error in them would be Spark's to log, one in `taken` stops the driver.
"""

from __future__ import annotations

import json
from collections import deque

from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from pipeline_processing.figures import Batch, batch_of


class Reports(StreamingQueryListener):
    """`spark.streams.addListener(reports)`."""

    def __init__(self) -> None:
        self._progress: deque[str] = deque()
        self._idle = 0

    def taken(self) -> tuple[list[Batch], bool]:
        """The batches reported since the last call, oldest first; and whether any query was idle."""
        batches = [batch_of(json.loads(self._progress.popleft())) for _ in range(len(self._progress))]
        idle, self._idle = self._idle > 0, 0
        return batches, idle

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802 (the library's name)
        self._progress.append(event.progress.json)

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802
        self._idle += 1

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802
        """The driver started it and knows."""

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802
        """The driver looks at its queries itself."""
