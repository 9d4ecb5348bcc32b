"""The server's own figures as points, so that a task can watch the server itself.

In:      figures, every `interval_s` seconds.
Out:     points of the database `_kapacitor`, retention policy `autogen`, a measurement for each name: through the door, as
         everybody's, so they are as durable, and a task that was away reads them later.
What the door does not take, as while the queue is away, is told of in the log and not sent again: the next figures hold it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping

from pipeline_queue.clock import Clock
from pipeline_queue.points.series_key import escaped_name, is_writable, key_of

from pipeline_processing.tasks.api.app import Door
from pipeline_processing.tasks.own_figures import Figure, OwnFigures

DATABASE, RETENTION_POLICY = "_kapacitor", "autogen"
STOP_WITHIN_S = 1.0
"""The door may need the thread that waits here."""
LOG = logging.getLogger(__name__)


class OwnPoints:
    """Written by a thread of its own between `start` and `stop`."""

    def __init__(self, figures: OwnFigures, door: Door, clock: Clock, *, interval_s: float) -> None:
        self._figures, self._door, self._clock, self._interval_s = figures, door, clock, interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="own-points", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(STOP_WITHIN_S)

    def write(self) -> None:
        """All figures once."""
        figures = [*self._figures.of_parts(), *self._figures.of_the_whole()]
        body = lines(figures, self._clock.now_ns())
        status, _, said = self._door(body, {"db": DATABASE, "rp": RETENTION_POLICY, "precision": "n"}, {})
        if status >= 300:
            LOG.warning("own figures were not taken: %d %s", status, said.decode(errors="replace"))

    def _work(self) -> None:
        while not self._stopping.wait(self._interval_s):
            try:
                self.write()
            except Exception:  # the door's loop may be ending, or a store away: figures must not end the figures
                LOG.exception("own figures could not be written")


def lines(figures: Iterable[Figure], time_ns: int) -> bytes:
    """A line of line protocol each, all of one time; what has a name that line protocol cannot say is left out."""
    return b"".join(
        b"%s %s %d\n" % (key_of(each.name, each.tags.items()), _fields(each.values), time_ns)
        for each in figures
        if _is_writable(each)
    )


def _is_writable(figure: Figure) -> bool:
    tags = [(name, value) for name, value in figure.tags.items() if value]
    parts = [figure.name, *(part for tag in tags for part in tag)]
    sound = is_writable(figure.name.encode(), [(name.encode(), value.encode()) for name, value in tags])
    return sound and bool(figure.values) and not any("\n" in part for part in parts)


def _fields(values: Mapping[str, int]) -> bytes:
    return b",".join(b"%s=%di" % (escaped_name(name.encode()), value) for name, value in values.items())
