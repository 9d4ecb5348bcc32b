"""The declarations, and what derives from them."""

from __future__ import annotations

import msgspec
import pytest
from pipeline_queue.brokers.protocol import partition_of
from pipeline_queue.catalog import topic
from pipeline_queue.errors import UnknownTopic
from pipeline_queue.events import event_id, event_type, new_producer
from pipeline_queue.topics import (
    ALERTS,
    BLOCK_BYTES_MAX,
    ENVELOPE,
    EVENT_BYTES_MAX,
    EVENTS_PER_BLOCK_MAX,
    MONITORING,
    STRING_LENGTH_MAX,
    TOPICS,
    Topic,
)

EVENT_TOPICS = [each for each in TOPICS.values() if not each.raw]


@pytest.mark.parametrize("each", TOPICS.values(), ids=lambda each: each.name)
def test_each_topic_says_what_it_holds_and_how_it_is_kept(each: Topic) -> None:
    stated = (bool(each.doc), each.doc.endswith("."), each.partitions > 0, each.retention_s != 0, each.lateness_s > 0)
    assert stated == (True, False, True, True, True)


@pytest.mark.parametrize("each", EVENT_TOPICS, ids=lambda each: each.name)
def test_each_column_has_a_meaning_and_each_measured_one_a_unit(each: Topic) -> None:
    without = [column.name for column in each.own_columns if not column.doc]
    unitless = [column.name for column in each.own_columns if column.kind == "int64" and not column.unit]
    assert (without, unitless) == ([], [])


@pytest.mark.parametrize("each", EVENT_TOPICS, ids=lambda each: each.name)
def test_each_events_columns_begin_with_the_envelope_and_none_is_named_twice(each: Topic) -> None:
    names = [column.name for column in each.columns]
    assert (names[:4], len(set(names))) == (["event_id", "time_ns", "producer", "seq"], len(names))


@pytest.mark.parametrize("each", EVENT_TOPICS, ids=lambda each: each.name)
def test_the_key_is_a_text_column_of_the_topic(each: Topic) -> None:
    kinds = {column.name: column.kind for column in each.columns}
    assert kinds[each.key] == "string"


@pytest.mark.parametrize("each", EVENT_TOPICS, ids=lambda each: each.name)
def test_an_event_type_has_the_declared_columns_in_order(each: Topic) -> None:
    fields = [field.name for field in msgspec.structs.fields(event_type(each))]
    assert fields == [column.name for column in each.columns]


@pytest.mark.parametrize("each", [each for each in EVENT_TOPICS if each is not ALERTS], ids=lambda each: each.name)
def test_the_longest_event_fits_a_line_and_a_block(each: Topic) -> None:
    longest = sum(len(c.name) + 6 * STRING_LENGTH_MAX if c.kind == "string" else 40 for c in each.columns)
    assert longest < EVENT_BYTES_MAX < BLOCK_BYTES_MAX


def test_only_the_census_is_kept_for_ever() -> None:
    for_ever = [each.name for each in TOPICS.values() if each.retention_s is None]
    assert (for_ever, {TOPICS[name].kept for name in for_ever}) == (
        ["census-population", "census-income"],
        {"for ever"},
    )


def test_monitoring_has_vmstats_columns_in_vmstats_order() -> None:
    printed = " r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st"
    assert [c.name for c in MONITORING.own_columns] == ["host", *printed.split()]


def test_the_envelope_is_the_same_everywhere() -> None:
    assert all(each.columns[: len(ENVELOPE)] == ENVELOPE for each in EVENT_TOPICS)


def test_a_full_block_of_numbers_is_within_the_limit() -> None:
    assert EVENTS_PER_BLOCK_MAX * 200 < BLOCK_BYTES_MAX


def test_an_unknown_topic_names_the_nearest() -> None:
    with pytest.raises(UnknownTopic, match="no topic is called `random-number`; did you mean `random-numbers`"):
        topic("random-number")


def test_a_name_like_no_other_is_told_what_there_is() -> None:
    with pytest.raises(
        UnknownTopic,
        match="there are alerts, census-income, census-population, dead-letters, event-counts, events-crash-report, ",
    ):
        topic("zzz")


def test_event_ids_of_a_producer_sort_as_they_were_made() -> None:
    ids = [event_id("p", seq) for seq in (0, 9, 10, 99_999, 10**11)]
    assert ids == sorted(ids)


def test_two_producers_of_a_source_differ() -> None:
    assert new_producer("monitoring") != new_producer("monitoring")


@pytest.mark.parametrize(
    ("key", "hash_of_kafka"),
    [  # from the tests of Kafka's own Utils.murmur2
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_a_key_has_the_partition_that_every_kafka_client_gives_it(key: bytes, hash_of_kafka: int) -> None:
    expected = [(hash_of_kafka & 0x7FFFFFFF) % partitions for partitions in (1, 2, 3, 4, 7, 1000)]
    assert [partition_of(key, partitions) for partitions in (1, 2, 3, 4, 7, 1000)] == expected
