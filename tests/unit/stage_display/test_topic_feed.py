"""A topic as a feed: from the recent past on, each event once; bad lines are buried, gaps counted, and it goes on."""

from __future__ import annotations

import json
import secrets
import time

import pytest
from msgspec import structs
from pipeline_display.feeds import topic as topic_feed
from pipeline_display.feeds.topic import ROWS_PER_FRAME_MAX, VALUE_SHOWN_BYTES, TopicReader
from pipeline_display.feeds.watch import WatchReader
from pipeline_queue.brokers import Message, open_broker
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.codec import blocks
from pipeline_queue.dead_letters import letters
from pipeline_queue.errors import UnknownTopic
from pipeline_queue.events import Event, as_row, event_id, event_type
from pipeline_queue.topics import RANDOM_NUMBERS, SAMPLES, TOPICS
from reading_frames import rows_of

TOPIC = RANDOM_NUMBERS.name
NS = 1_000_000_000


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
    return [row["value"] for row in rows_of(reader.look().bodies)]


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
    rows = [row["value"] for row in rows_of(batch.bodies)]
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
    sizes = [json.loads(body)["count"] for body in reader_of(url).look().bodies]
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


def sample(broker: MemoryBroker, job: str, *samples: str) -> None:
    make = event_type(SAMPLES)
    events = [
        make(event_id=event_id(job, seq), time_ns=time.time_ns(), producer=job, seq=seq, job=job, sample=text)
        for seq, text in enumerate(samples)
    ]
    broker.publish(SAMPLES.name, blocks(SAMPLES, events, events_max=1))


def test_the_watch_shows_the_newest_sample_of_each_job(url: str, broker: MemoryBroker) -> None:
    sample(broker, "slow", '{"count":1}')
    sample(broker, "quick", '{"count":2}', '{"count":3}')
    reader = WatchReader(url, [TOPIC], sleep=lambda _: None)
    first = watched(reader)["samples"]
    sample(broker, "quick", '{"count":4}')
    assert (first, watched(reader)["samples"]) == (
        {"slow": '{"count":1}', "quick": '{"count":3}'},
        {"slow": '{"count":1}', "quick": '{"count":4}'},
    )


def test_the_watch_goes_on_when_retention_took_samples_that_it_had_not_seen(url: str, broker: MemoryBroker) -> None:
    reader = WatchReader(url, [TOPIC], sleep=lambda _: None)
    reader.look()
    sample(broker, "quick", "{}", "{}", '{"count":5}')
    broker.trim(SAMPLES.name, {0: 2})
    bodies = [body for _ in range(2) for body in reader.look().bodies]
    assert json.loads(bodies[-1])["samples"] == {"quick": '{"count":5}'}


def test_the_watch_says_nothing_twice(url: str, broker: MemoryBroker) -> None:
    publish(broker, 7)
    reader = WatchReader(url, [TOPIC], sleep=lambda _: None)
    assert [len(reader.look().bodies) for _ in range(2)] == [1, 0]


def test_a_frame_has_every_column_of_every_event_and_names_what_they_share_once(url: str, broker: MemoryBroker) -> None:
    events = [number(seq) for seq in range(3)]
    broker.publish(TOPIC, blocks(RANDOM_NUMBERS, events))
    (body,) = reader_of(url).look().bodies
    columns = json.loads(body)["columns"]
    assert (rows_of([body]), columns["producer"], "event_id" in columns) == (
        [as_row(event) for event in events],
        "p",
        False,
    )


def test_ids_that_do_not_follow_from_producer_and_number_travel_as_they_are(url: str, broker: MemoryBroker) -> None:
    events = [structs.replace(number(1), event_id="a"), structs.replace(number(2), event_id="b")]
    broker.publish(TOPIC, blocks(RANDOM_NUMBERS, events))
    assert [row["event_id"] for row in rows_of(reader_of(url).look().bodies)] == ["a", "b"]


def test_the_sample_record_comes_with_the_first_frame_and_then_at_most_once_a_second(
    url: str, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_feed, "RECORD_EVERY_S", 3600.0)  # no second passes here, however slow the machine
    reader = reader_of(url)
    shown = []
    for seq in range(5):
        publish(broker, seq)
        shown += ["record" in json.loads(body) for body in reader.look().bodies]
    assert shown == [True, False, False, False, False]


def test_a_thumbnail_gets_ten_events_a_second_of_each_producer(url: str, broker: MemoryBroker) -> None:
    second_ns = time.time_ns() // NS * NS - NS
    events = [
        structs.replace(number(i, producer=name), time_ns=second_ns + i * NS // 1000)
        for name in "pq"
        for i in range(1000)
    ]
    broker.publish(TOPIC, blocks(RANDOM_NUMBERS, events))
    drawn = rows_of(reader_of(url).look().thumbnail)
    assert [(row["producer"], row["seq"]) for row in drawn] == [
        (name, tenth * 100 + 99) for name in "pq" for tenth in range(10)
    ]


def test_blocks_of_thousands_are_read_some_at_a_time(
    url: str, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_feed, "RECORDS_AT_FIRST", 2)
    monkeypatch.setattr(topic_feed, "LOOK_BYTES_MAX", 250_000)
    events = [number(seq) for seq in range(30_000)]
    broker.publish(TOPIC, blocks(RANDOM_NUMBERS, events, events_max=1_000))
    reader = reader_of(url)
    looks = []
    while batch := rows_of(reader.look().bodies):
        looks.append([row["seq"] for row in batch])
    assert [seq for look in looks for seq in look] == list(range(30_000))
    assert (max(map(len, looks)), len(looks) > 10) == (2_000, True)
