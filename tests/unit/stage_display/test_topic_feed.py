"""A topic as a feed: from the recent past on, each event once; bad lines are buried, gaps counted, and it goes on."""

from __future__ import annotations

import json
import secrets
import time

import pytest
from pipeline_display.feeds.topic import ROWS_PER_FRAME_MAX, VALUE_SHOWN_BYTES, TopicReader
from pipeline_display.feeds.watch import WatchReader
from pipeline_queue.brokers import Message, open_broker
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.codec import blocks
from pipeline_queue.dead_letters import letters
from pipeline_queue.errors import UnknownTopic
from pipeline_queue.events import Event, event_id, event_type
from pipeline_queue.topics import RANDOM_NUMBERS, TOPICS

TOPIC = RANDOM_NUMBERS.name


@pytest.fixture
def url() -> str:
    return f"memory://{secrets.token_hex(4)}"


@pytest.fixture
def broker(url: str) -> MemoryBroker:
    broker = open_broker(url)
    assert isinstance(broker, MemoryBroker)
    broker.create(TOPICS.values())
    return broker


def number(seq: int, *, producer: str = "p") -> Event:
    return event_type(RANDOM_NUMBERS)(
        event_id=event_id(producer, seq), time_ns=time.time_ns(), producer=producer, seq=seq, value=float(seq)
    )


def publish(broker: MemoryBroker, *seqs: int) -> None:
    broker.publish(TOPIC, blocks(RANDOM_NUMBERS, [number(seq) for seq in seqs]))


def values(reader: TopicReader) -> list[float]:
    return [row["value"] for body in reader.look().bodies for row in json.loads(body)["rows"]]


def reader_of(url: str, *, history_s: float = 60.0) -> TopicReader:
    return TopicReader(url, RANDOM_NUMBERS, history_s=history_s)


def test_a_feed_begins_with_the_recent_past_and_goes_on_with_what_comes(url: str, broker: MemoryBroker) -> None:
    publish(broker, 1, 2)
    reader = reader_of(url)
    past = values(reader)
    publish(broker, 3)
    assert (past, values(reader), values(reader)) == ([1, 2], [3], [])


def test_what_is_older_than_the_history_is_left_out(url: str, broker: MemoryBroker) -> None:
    publish(broker, 1)
    time.sleep(0.01)
    assert values(reader_of(url, history_s=0.001)) == []


def test_a_feed_that_lost_its_broker_goes_on_where_it_was(url: str, broker: MemoryBroker) -> None:
    reader = reader_of(url)
    publish(broker, 1)
    before = values(reader)
    reader.let_go()
    publish(broker, 2)
    assert (before, values(reader)) == ([1], [2])


def test_bad_lines_are_buried_and_counted_and_the_good_ones_around_them_pass(url: str, broker: MemoryBroker) -> None:
    good = blocks(RANDOM_NUMBERS, [number(1), number(2)])[0].value.split(b"\n")
    broker.publish(TOPIC, [Message(key=b"p", value=b"\n".join([good[0], b"{torn", good[1], b'{"value": "x"}']))])
    batch = reader_of(url).look()
    rows = [row["value"] for body in batch.bodies for row in json.loads(body)["rows"]]
    assert (rows, batch.events, batch.dead, [each.raw for each in letters(broker)]) == (
        [1, 2],
        2,
        2,
        [b"{torn", b'{"value": "x"}'],
    )


def test_what_retention_took_away_is_a_gap_and_the_feed_goes_on_at_the_begin(url: str, broker: MemoryBroker) -> None:
    reader = reader_of(url)
    publish(broker, 1, 2)
    assert values(reader) == [1, 2]
    for seq in (3, 4, 5):
        publish(broker, seq)
    (partition,) = (partition for partition, end in broker.end_offsets(TOPIC).items() if end)
    broker.trim(TOPIC, {partition: broker.end_offsets(TOPIC)[partition] - 1})
    gap = reader.look()
    assert (gap.bodies, gap.gaps, values(reader)) == ([], 1, [5])


def test_a_large_block_is_cut_into_frames_of_bounded_size(url: str, broker: MemoryBroker) -> None:
    publish(broker, *range(2 * ROWS_PER_FRAME_MAX + 1))
    sizes = [len(json.loads(body)["rows"]) for body in reader_of(url).look().bodies]
    assert sizes == [ROWS_PER_FRAME_MAX, ROWS_PER_FRAME_MAX, 1]


def test_a_frame_brings_the_record_as_it_lies_on_the_queue_cut_to_what_can_be_shown(
    url: str, broker: MemoryBroker
) -> None:
    publish(broker, *range(100))
    record = json.loads(reader_of(url).look().bodies[0])["record"]
    whole = blocks(RANDOM_NUMBERS, [number(seq) for seq in range(100)])[0].value
    assert (record["topic"], record["key"], record["offset"], record["headers"], len(record["value"])) == (
        TOPIC,
        "p",
        0,
        {"encoding": "ndjson", "events": "100"},
        VALUE_SHOWN_BYTES,
    )
    assert abs(record["value_bytes"] - len(whole)) < 100


def test_a_topic_that_is_not_there_yet_is_away(url: str) -> None:
    with pytest.raises(UnknownTopic):
        reader_of(url).look()


def watched(reader: WatchReader) -> dict[str, object]:
    (body,) = reader.look().bodies
    return json.loads(body)


def test_the_watch_shows_the_newest_record_and_counts_each_dead_letter_once(url: str, broker: MemoryBroker) -> None:
    broker.publish(TOPIC, [Message(key=b"p", value=b"{torn")])
    for _ in range(2):
        reader_of(url).look()
    publish(broker, 7)
    reader = WatchReader(url, [TOPIC], sleep=lambda _: None)
    told = watched(reader)
    assert told["dead_letters"] == 1
    assert '"value":7.0' in told["records"][TOPIC]["value"]


def test_the_watch_says_nothing_twice(url: str, broker: MemoryBroker) -> None:
    publish(broker, 7)
    reader = WatchReader(url, [TOPIC], sleep=lambda _: None)
    assert [len(reader.look().bodies) for _ in range(2)] == [1, 0]
