"""Where reading goes on, which partition goes first, and what waits."""

from __future__ import annotations

from loading import NOTE, NOW_NS, Queue, note
from pipeline_output.loader.database import Progress
from pipeline_output.loader.reading import read_on
from pipeline_output.loader.rehearsal import Rehearsed, rehearse
from pipeline_output.loader.status import statuses
from pipeline_queue.brokers.protocol import partition_of

NAME, PARTITIONS = NOTE.topic.name, NOTE.topic.partitions
KEYS = {partition_of(b"%d" % n, PARTITIONS): str(n) for n in range(50)}
"""A producer for each partition."""


def known(partition: int, next_offset: int, loaded_at_ns: int = NOW_NS) -> dict[int, Progress]:
    return {partition: Progress(topic=NAME, partition=partition, next_offset=next_offset, loaded_at_ns=loaded_at_ns)}


def publish(feed: Queue, partition: int, count: int) -> None:
    feed.publish([note(seq, producer=KEYS[partition]) for seq in range(count)], events_max=1)


def test_a_busy_partition_does_not_keep_the_others_out() -> None:
    feed = Queue()
    publish(feed, 0, 25_000)
    publish(feed, 3, 1)
    progress = known(0, 10_000, NOW_NS) | known(3, 0, NOW_NS - 1)
    reading = read_on(feed.broker(), NOTE.topic, progress)
    first = reading.records[0]
    assert (first.partition, reading.nexts, reading.left) == (3, {0: 19_999, 1: 0, 2: 0, 3: 1}, 5_001)


def test_a_partition_goes_on_where_it_was_left_and_one_that_was_never_read_at_its_begin() -> None:
    feed = Queue()
    publish(feed, 1, 5)
    publish(feed, 2, 5)
    feed.broker().trim(NAME, {2: 2})
    reading = read_on(feed.broker(), NOTE.topic, known(1, 3))
    found = sorted((record.partition, record.offset) for record in reading.records)
    assert (found, reading.gone, reading.has_more) == ([(1, 3), (1, 4), (2, 2), (2, 3), (2, 4)], {}, False)


def test_what_is_gone_is_said_though_nothing_is_left() -> None:
    feed = Queue()
    publish(feed, 1, 5)
    feed.broker().trim(NAME, {1: 5})
    reading = read_on(feed.broker(), NOTE.topic, known(1, 3))
    assert (reading.records, reading.gone, reading.nexts[1]) == ([], {1: 2}, 5)


def test_a_rehearsal_reads_all_that_waits_and_keeps_it_there() -> None:
    feed = Queue()
    publish(feed, 0, 12_000)
    feed.broker().trim(NAME, {0: 5})
    feed.publish_lines(b"no JSON")
    found = [rehearse(feed.broker(), NOTE, known(0, 2).values()) for _ in range(2)]
    assert found == [Rehearsed(type="note", events=11_995, dead=1, gone=3)] * 2
    assert feed.broker().end_offsets("dead-letters") == {0: 0}


def test_of_a_queue_that_was_made_anew_all_waits() -> None:
    feed = Queue()
    publish(feed, 0, 5)
    (found,) = statuses(feed.broker(), [NOTE], known(0, 20).values(), NOW_NS)
    assert found.lag_events == 5
