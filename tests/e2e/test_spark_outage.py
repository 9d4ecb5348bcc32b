"""After an outage that was longer than windows stay open, with partitions that are hours apart, no window is lost.

The queue's clock is turned by hand: its records look as if they had been appended in the course of four hours.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from pipeline_queue.brokers.protocol import partition_of
from pipeline_queue.brokers.sqlite import SqliteBroker
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_id, event_type
from pipeline_queue.topics import RANDOM_NUMBERS, TOPICS
from running_driver import Folder

HOUR_NS = 3600 * 1_000_000_000
RECORDS = 12


def append(folder: Folder, producer: str, first_seq: int, *, since_ns: int, until_ns: int) -> None:
    """RECORDS events of one producer, evenly spread over the time, each a record that was appended at its event's time."""
    clock = ManualClock()
    with closing(SqliteBroker(folder.path / "queue", clock=clock)) as broker:
        for number in range(RECORDS):
            clock.time_ns = since_ns + number * (until_ns - since_ns) // RECORDS
            event = event_type(RANDOM_NUMBERS)(
                event_id=event_id(producer, first_seq + number),
                time_ns=clock.time_ns,
                producer=producer,
                seq=first_seq + number,
                value=float(number),
            )
            broker.publish(RANDOM_NUMBERS.name, blocks(RANDOM_NUMBERS, [event]))


def test_partitions_that_are_hours_apart_lose_no_window(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"WATERMARK_S": "600", "RECORDS_PER_TRIGGER": "4", "TRIGGER_S": "0.05"})
    now_ns = time.time_ns()
    folder.broker().create(TOPICS.values())
    before, slow, fast = "test-c", "test-a", "test-b1"
    assert len({partition_of(name.encode(), RANDOM_NUMBERS.partitions) for name in (slow, fast)}) == 2
    append(folder, before, 0, since_ns=now_ns - 4 * HOUR_NS, until_ns=now_ns - 3 * HOUR_NS)
    driver = folder.start()
    try:
        folder.wait_committed(driver)
        driver.kill()
        folder.left()
        append(folder, slow, 0, since_ns=now_ns - 3 * HOUR_NS, until_ns=now_ns - 2 * HOUR_NS)
        append(folder, fast, 0, since_ns=now_ns - HOUR_NS, until_ns=now_ns)
        driver = folder.start()
        folder.wait_committed(driver)
        found = {store: folder.differing(store) for store in folder.stores}
    finally:
        driver.kill()
        folder.left()
    assert ("are lost" in folder.log(), found) == (False, {"disk": {}, "sqlite": {}})
