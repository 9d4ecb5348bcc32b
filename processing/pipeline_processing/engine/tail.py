"""The end of a topic, read into the ring as it grows.

In:      records of one topic.
Out:     portions in the ring, in the order in which they were read.
While the queue is away it is tried again.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from pipeline_queue.brokers import Broker
from pipeline_queue.errors import OffsetGone, QueueError

from pipeline_processing.engine.ring import Ring
from pipeline_processing.engine.source import Decode

LOG = logging.getLogger(__name__)
WAIT_S = 0.5
RECORDS_MAX = 100
AWAY_S = 1.0


class Tail:
    def __init__(self, topic: str, ring: Ring, *, open_broker: Callable[[], Broker], decode: Decode) -> None:
        self._topic, self._ring, self._open, self._decode = topic, ring, open_broker, decode
        self._offsets = _ends(open_broker(), topic)
        self.partitions = len(self._offsets)
        self._stopping = threading.Event()
        ring.begins_at({(topic, partition): offset for partition, offset in self._offsets.items()})
        self._thread = threading.Thread(target=self._follow, name=f"tail-{topic}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.end_soon()
        self._thread.join()

    def end_soon(self) -> None:
        """Without waiting for it."""
        self._stopping.set()

    def _follow(self) -> None:
        broker: Broker | None = None
        while not self._stopping.is_set():
            try:
                broker = broker or self._open()
                self._read(broker)
            except OffsetGone:
                self._skip(broker)
            except QueueError as error:
                LOG.warning("reading %s: %s", self._topic, error)
                self._stopping.wait(AWAY_S)
        if broker is not None:
            broker.close()

    def _skip(self, broker: Broker) -> None:
        """Go on with the oldest that is left, and read nothing twice."""
        for partition, offset in broker.begin_offsets(self._topic).items():
            self._offsets[partition] = max(offset, self._offsets[partition])
            LOG.error("%s: partition %d goes on at %d", self._topic, partition, self._offsets[partition])

    def _read(self, broker: Broker) -> None:
        for record in broker.read(self._topic, self._offsets, wait_s=WAIT_S, limit=RECORDS_MAX):
            for portion in self._decode(record):
                self._ring.append(portion)
            self._offsets[record.partition] = record.offset + 1


def _ends(broker: Broker, topic: str) -> dict[int, int]:
    with contextlib.closing(broker):
        return broker.end_offsets(topic)
