"""What Spark's queries report, gathered for the driver's loop.

In:   calls of Spark's listener bus, from a thread of py4j.
Out:  `taken()`: the batches since the last call, and whether a query found nothing to do.
The calls only gather: an error in them would be Spark's to log, one in `taken` stops the driver. They take the report
as one text; PySpark's own StreamingQueryListener asks the JVM for each field by itself, a quarter of the JVM's time at
rest.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from functools import cached_property

from py4j.java_gateway import JavaObject
from pyspark import SparkContext

from pipeline_processing.figures import Batch, batch_of


class Reports:
    """`spark.streams.addListener(reports)`."""

    def __init__(self) -> None:
        self._progress: deque[str] = deque()
        self._idle = 0

    def taken(self) -> tuple[list[Batch], bool]:
        """The batches reported since the last call, oldest first; and whether any query was idle."""
        batches = [batch_of(json.loads(self._progress.popleft())) for _ in range(len(self._progress))]
        idle, self._idle = self._idle > 0, 0
        return batches, idle

    @cached_property
    def _jlistener(self) -> JavaObject:
        """What `addListener` and `removeListener` hand to the JVM."""
        return SparkContext._jvm.PythonStreamingQueryListenerWrapper(_Listener(self._progress.append, self._note_idle))

    def _note_idle(self) -> None:
        self._idle += 1


class _Listener:
    """Spark's interface in Java."""

    def __init__(self, note_progress: Callable[[str], None], note_idle: Callable[[], None]) -> None:
        self._note_progress, self._note_idle = note_progress, note_idle

    def onQueryProgress(self, event: JavaObject) -> None:  # noqa: N802 (the library's name)
        self._note_progress(event.progress().json())

    def onQueryIdle(self, _event: JavaObject) -> None:  # noqa: N802 (the library's name)
        self._note_idle()

    def onQueryStarted(self, _event: JavaObject) -> None:  # noqa: N802 (the library's name)
        """The driver started it and knows."""

    def onQueryTerminated(self, _event: JavaObject) -> None:  # noqa: N802 (the library's name)
        """The driver looks at its queries itself."""

    class Java:
        implements = ("org.apache.spark.sql.streaming.PythonStreamingQueryListener",)
