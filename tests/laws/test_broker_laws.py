"""What holds for every broker: one suite over memory, SQLite and Kafka."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from statistics import median

import pytest
from pipeline_queue.brokers import Broker, Message, Record, open_broker
from pipeline_queue.brokers.protocol import partition_of
from pipeline_queue.codec import blocks, decode_all
from pipeline_queue.errors import OffsetGone, StaleEpoch, TooLarge, UnknownTopic
from pipeline_queue.events import event_id, event_type
from pipeline_queue.topics import BLOCK_BYTES_MAX, RANDOM_NUMBERS, Topic
from waiting import overslept_s

LIMIT = BLOCK_BYTES_MAX


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.engine)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    match request.param:
        case "memory":
            return f"memory://{token_hex(8)}"
        case "sqlite":
            return f"sqlite://{tmp_path}/queue"
    return request.getfixturevalue("kafka_url")


@pytest.fixture
def broker(url: str, topic: Topic) -> Iterator[Broker]:
    with closing(open_broker(url)) as opened:
        opened.create([topic])
        yield opened


def texts(*values: str, key: str = "k") -> list[Message]:
    return [Message(key=key.encode(), value=value.encode()) for value in values]


def read_all(broker: Broker, topic: str, start: dict[int, int] | None = None) -> list[Record]:
    """Everything from `start` (or the beginning) to what is the end now."""
    positions = broker.begin_offsets(topic) | (start or {})
    ends, found = broker.end_offsets(topic), []
    while any(positions[partition] < end for partition, end in ends.items()):
        records = broker.read(topic, positions, wait_s=5)
        assert records, f"nothing read at {positions}, the ends are {ends}"
        found += records
        positions |= {record.partition: record.offset + 1 for record in records}
    return found


def values(records: list[Record]) -> list[bytes]:
    return [record.value for record in records]


# --- what is published is there, in order ---


def test_equal_keys_keep_their_order(broker: Broker, topic: Topic) -> None:
    sent = [Message(key=f"k{i % 7}".encode(), value=b"%d" % i) for i in range(700)]
    for start in range(0, 700, 70):
        broker.publish(topic.name, sent[start : start + 70])
    found = read_all(broker, topic.name)
    by_key = {key: [int(r.value) for r in found if r.key == key] for key in {m.key for m in sent}}
    assert by_key == {f"k{k}".encode(): list(range(k, 700, 7)) for k in range(7)}


def test_offsets_of_a_partition_count_from_0_without_a_gap(broker: Broker, topic: Topic) -> None:
    broker.publish(topic.name, [Message(key=b"%d" % i, value=b"") for i in range(100)])
    found = read_all(broker, topic.name)
    offsets = [[record.offset for record in found if record.partition == partition] for partition in range(3)]
    assert offsets == [list(range(len(each))) for each in offsets]


def test_a_key_goes_to_the_partition_that_kafkas_hash_gives(broker: Broker, topic: Topic) -> None:
    broker.publish(topic.name, [Message(key=b"key-%d" % i, value=b"") for i in range(100)])
    wrong = [r.key for r in read_all(broker, topic.name) if r.partition != partition_of(r.key or b"", 3)]
    assert wrong == []


def test_a_message_without_a_key_goes_to_partition_0(broker: Broker, topic: Topic) -> None:
    broker.publish(topic.name, [Message(value=b"%d" % i) for i in range(10)])
    assert broker.end_offsets(topic.name) == {0: 10, 1: 0, 2: 0}


def test_what_was_acknowledged_is_there_for_another(broker: Broker, url: str, topic: Topic) -> None:
    broker.publish(topic.name, texts("a", "b", "c"))
    with closing(open_broker(url)) as other:
        assert values(read_all(other, topic.name)) == [b"a", b"b", b"c"]


def test_keys_and_headers_survive(broker: Broker, topic: Topic) -> None:
    sent = [
        Message(key=b"\x00\xff", value=b"1", headers=(("encoding", b"ndjson"), ("n", b"\x00\xff"), ("n", b"again"))),
        Message(key=b"\x00\xff", value=b"2", headers=(("empty", b""),)),
        Message(key=b"\x00\xff", value=b"3"),
    ]
    broker.publish(topic.name, sent)
    assert [Message(key=r.key, value=r.value, headers=r.headers) for r in read_all(broker, topic.name)] == sent


@pytest.mark.parametrize("key", [None, b""])
def test_no_key_and_an_empty_key_stay_what_they_are(broker: Broker, topic: Topic, key: bytes | None) -> None:
    broker.publish(topic.name, [Message(key=key, value=b"x")])
    assert [record.key for record in read_all(broker, topic.name)] == [key]


@pytest.mark.parametrize("events_max", [1, 10_000])
def test_events_come_back_from_blocks_of_any_size(broker: Broker, topic: Topic, events_max: int) -> None:
    make = event_type(RANDOM_NUMBERS)
    now_ns = time.time_ns()
    events = [
        make(event_id=event_id("p", seq), time_ns=now_ns + seq, producer="p", seq=seq, value=seq / 7)
        for seq in range(10_000)
    ]
    broker.publish(topic.name, blocks(RANDOM_NUMBERS, events, events_max=events_max))
    assert decode_all(RANDOM_NUMBERS, read_all(broker, topic.name)).events == events


@pytest.mark.parametrize("size_bytes", [0, 1, 1_000_000, LIMIT - 1, LIMIT])
def test_a_payload_up_to_the_limit_survives(broker: Broker, topic: Topic, size_bytes: int) -> None:
    value = os.urandom(size_bytes)  # nothing that compression could make smaller
    broker.publish(topic.name, [Message(key=b"a host of the longest name there is" * 7, value=value)])
    assert values(read_all(broker, topic.name)) == [value]


def test_a_payload_above_the_limit_is_refused_and_nothing_of_the_call_is_published(
    broker: Broker, topic: Topic
) -> None:
    messages = [*texts("before"), Message(key=b"k", value=bytes(LIMIT + 1)), *texts("after")]
    with pytest.raises(TooLarge, match=rf"4,194,305 bytes for `{topic.name}` is above the limit of 4,194,304"):
        broker.publish(topic.name, messages)
    assert sum(broker.end_offsets(topic.name).values()) == 0


def test_many_full_blocks_in_one_call_all_arrive(broker: Broker, topic: Topic) -> None:
    sent = [Message(key=b"k", value=bytes([i]) * LIMIT) for i in range(12)]
    broker.publish(topic.name, sent)
    assert [value[:1] for value in values(read_all(broker, topic.name))] == [bytes([i]) for i in range(12)]


def test_publishing_nothing_is_nothing(broker: Broker, topic: Topic) -> None:
    broker.publish(topic.name, [])
    assert broker.end_offsets(topic.name) == {0: 0, 1: 0, 2: 0}


def test_append_times_are_the_brokers_own_and_never_fall(broker: Broker, topic: Topic) -> None:
    before_ms = time.time_ns() // 1_000_000
    for i in range(20):
        broker.publish(topic.name, texts(str(i)))
    times_ms = [record.append_time_ns // 1_000_000 for record in read_all(broker, topic.name)]
    assert [before_ms, *times_ms, time.time_ns() // 1_000_000] == sorted(
        [before_ms, *times_ms, time.time_ns() // 1_000_000]
    )


def test_creating_a_topic_again_leaves_it_as_it_is(broker: Broker, topic: Topic) -> None:
    broker.publish(topic.name, texts("a"))
    broker.create([topic])
    assert (values(read_all(broker, topic.name)), broker.partitions(topic.name)) == ([b"a"], 3)


def test_topics_are_listed_by_name(broker: Broker, topic: Topic) -> None:
    names = broker.topics()
    assert (topic.name in names, names) == (True, sorted(names))


@pytest.mark.parametrize(
    "asking",
    [
        lambda broker, name: broker.publish(name, texts("a")),
        lambda broker, name: broker.read(name, {0: 0}),
        lambda broker, name: broker.partitions(name),
        lambda broker, name: broker.end_offsets(name),
        lambda broker, name: broker.begin_offsets(name),
        lambda broker, name: broker.offsets_at(name, 0),
        lambda broker, name: broker.committed("g", name),
        lambda broker, name: broker.commit("g", name, {0: 1}),
    ],
)
def test_an_unknown_topic_names_the_nearest(broker: Broker, topic: Topic, asking: object) -> None:
    with pytest.raises(UnknownTopic, match=f"no topic is called `{topic.name}s`; did you mean `{topic.name}`?"):
        asking(broker, f"{topic.name}s")  # type: ignore[operator]


# --- reading ---


def test_what_is_there_is_read_without_waiting(broker: Broker, url: str, topic: Topic) -> None:
    broker.publish(topic.name, texts("a", "b"))
    with closing(open_broker(url)) as reader:
        assert values(reader.read(topic.name, {0: 0, 1: 0, 2: 0})) == [b"a", b"b"]


def test_a_read_takes_no_more_than_its_limit_and_goes_on_where_it_stood(broker: Broker, topic: Topic) -> None:
    broker.publish(topic.name, [Message(value=b"%d" % i) for i in range(10)])
    found = [broker.read(topic.name, {0: start}, wait_s=2, limit=4) for start in (0, 4, 8)]
    assert [values(each) for each in found] == [[b"0", b"1", b"2", b"3"], [b"4", b"5", b"6", b"7"], [b"8", b"9"]]


def test_a_reader_may_go_back(broker: Broker, topic: Topic) -> None:
    broker.publish(topic.name, [Message(value=b"%d" % i) for i in range(5)])
    found = [values(broker.read(topic.name, {0: start}, wait_s=2)) for start in (3, 0, 4)]
    assert found == [[b"3", b"4"], [b"0", b"1", b"2", b"3", b"4"], [b"4"]]


def test_a_reader_of_one_partition_sees_no_other(broker: Broker, topic: Topic) -> None:
    broker.publish(topic.name, [Message(key=b"%d" % i, value=b"") for i in range(50)])
    everything = read_all(broker, topic.name)
    found = broker.read(topic.name, {1: 0}, wait_s=2)
    assert found == [record for record in everything if record.partition == 1]


def test_a_full_partition_does_not_keep_a_reader_from_the_others(broker: Broker, topic: Topic) -> None:
    keys = {partition_of(b"%d" % i, 3): b"%d" % i for i in range(20)}
    broker.publish(topic.name, [Message(key=keys[0], value=bytes(1000)) for _ in range(500)])
    broker.publish(topic.name, [Message(key=keys[2], value=b"other")])
    assert b"other" in values(read_all(broker, topic.name))


def test_with_nothing_there_a_read_returns_nothing_after_its_wait(broker: Broker, topic: Topic) -> None:
    broker.read(topic.name, {0: 0, 1: 0, 2: 0})
    started = time.monotonic()
    found = broker.read(topic.name, {0: 0, 1: 0, 2: 0}, wait_s=0.3)
    assert (found, 0.28 < time.monotonic() - started < 30) == ([], True)


def test_a_waiting_reader_wakes_within_50_ms_of_the_acknowledgement(broker: Broker, url: str, topic: Topic) -> None:
    """As much later as on this machine at this moment a thread wakes that slept for no longer than a reader does."""
    acknowledged_s: list[float] = []
    publisher = threading.Thread(target=_publish_now_and_then, args=(url, topic.name, acknowledged_s))
    publisher.start()
    position, woken_s = 0, []
    while position < 9:
        for record in broker.read(topic.name, {0: position}, wait_s=5):
            position = record.offset + 1
            woken_s.append(time.monotonic())
    publisher.join()
    delays_s = [woken - at for woken, at in zip(woken_s[1:], acknowledged_s[1:], strict=True)]
    assert median(delays_s) < 0.05 + 4 * overslept_s()  # without the first, for which connections are made


def _publish_now_and_then(url: str, topic: str, acknowledged_s: list[float]) -> None:
    with closing(open_broker(url)) as broker:
        for _ in range(9):
            time.sleep(0.15)
            broker.publish(topic, [Message(value=b"now")])
            acknowledged_s.append(time.monotonic())


def test_beyond_the_end_there_is_nothing_after_the_wait(broker: Broker, topic: Topic) -> None:
    broker.publish(topic.name, [Message(value=b"")])
    started = time.monotonic()
    found = broker.read(topic.name, {0: 5}, wait_s=0.3)
    assert (found, time.monotonic() - started > 0.28) == ([], True)


def test_several_readers_see_everything_each_while_it_is_written(broker: Broker, url: str, topic: Topic) -> None:
    seen: list[list[bytes]] = [[], [], []]
    readers = [threading.Thread(target=_read_until, args=(url, topic.name, 500, each)) for each in seen]
    for reader in readers:
        reader.start()
    for i in range(0, 500, 10):
        broker.publish(topic.name, texts(*(str(n) for n in range(i, i + 10))))
    for reader in readers:
        reader.join()
    assert seen == [[b"%d" % i for i in range(500)]] * 3


def _read_until(url: str, topic: str, count: int, seen: list[bytes]) -> None:
    deadline = time.monotonic() + 300
    with closing(open_broker(url)) as broker:
        positions = {0: 0, 1: 0, 2: 0}
        while len(seen) < count and time.monotonic() < deadline:
            for record in broker.read(topic, positions, wait_s=0.5):
                positions[record.partition] = record.offset + 1
                seen.append(record.value)


# --- places in the log ---


def test_a_read_below_what_retention_left_says_so(broker: Broker, url: str, topic: Topic) -> None:
    broker.publish(topic.name, [Message(value=b"%d" % i) for i in range(10)])
    trim(broker, url, topic.name, {0: 6})
    with pytest.raises(
        OffsetGone, match=f"offset 2 of `{topic.name}` partition 0 is gone, retention has left 6 and newer"
    ):
        broker.read(topic.name, {0: 2}, wait_s=2)


def test_after_a_gap_a_reader_goes_on_at_the_beginning_that_is_left(broker: Broker, url: str, topic: Topic) -> None:
    broker.publish(topic.name, [Message(value=b"%d" % i) for i in range(10)])
    trim(broker, url, topic.name, {0: 6})
    with pytest.raises(OffsetGone):
        broker.read(topic.name, {0: 0}, wait_s=2)
    assert values(broker.read(topic.name, {0: broker.begin_offsets(topic.name)[0]}, wait_s=2)) == [
        b"6",
        b"7",
        b"8",
        b"9",
    ]


def test_a_wholly_forgotten_partition_is_gone_too_and_goes_on_counting(broker: Broker, url: str, topic: Topic) -> None:
    broker.publish(topic.name, [Message(value=b"%d" % i) for i in range(10)])
    trim(broker, url, topic.name, {0: 10})
    with pytest.raises(OffsetGone):
        broker.read(topic.name, {0: 9}, wait_s=2)
    broker.publish(topic.name, [Message(value=b"next")])
    assert [record.offset for record in broker.read(topic.name, {0: 10}, wait_s=2)] == [10]


def trim(broker: Broker, url: str, topic: str, begin: dict[int, int]) -> None:
    """Forget what is below `begin`, as retention does when it comes round."""
    if not url.startswith("kafka:"):
        broker.trim(topic, begin)  # type: ignore[attr-defined]
        return
    from kafka import TopicPartition
    from kafka.admin import KafkaAdminClient

    with closing(KafkaAdminClient(bootstrap_servers=url.removeprefix("kafka://"))) as admin:
        admin.delete_records({TopicPartition(topic, partition): offset for partition, offset in begin.items()})


def test_the_place_at_a_time_is_the_first_record_appended_then_or_later(broker: Broker, topic: Topic) -> None:
    times_ns = []
    for i in range(4):
        times_ns.append(time.time_ns())
        time.sleep(0.02)
        broker.publish(topic.name, [Message(value=b"%d" % i)])
    assert [broker.offsets_at(topic.name, at)[0] for at in (0, *times_ns, time.time_ns())] == [0, 0, 1, 2, 3, 4]


def test_the_place_at_a_records_own_append_time_is_that_record(broker: Broker, topic: Topic) -> None:
    for i in range(4):
        broker.publish(topic.name, [Message(value=b"%d" % i)])
        time.sleep(0.02)
    found = read_all(broker, topic.name)
    assert [broker.offsets_at(topic.name, record.append_time_ns)[0] for record in found] == [0, 1, 2, 3]


# --- commits ---


def test_a_group_that_never_committed_has_no_place(broker: Broker, topic: Topic) -> None:
    assert broker.committed(f"g-{token_hex(4)}", topic.name) == {}


def test_a_reader_resumes_at_what_it_committed(broker: Broker, url: str, topic: Topic) -> None:
    group = f"g-{token_hex(4)}"
    broker.publish(topic.name, [Message(value=b"%d" % i) for i in range(10)])
    broker.commit(group, topic.name, {0: 4})
    with closing(open_broker(url)) as restarted:
        committed = restarted.committed(group, topic.name)
        assert (committed, values(restarted.read(topic.name, committed, wait_s=2))[0]) == ({0: 4}, b"4")


def test_a_commit_leaves_other_partitions_and_groups_alone(broker: Broker, topic: Topic) -> None:
    one, other = f"g-{token_hex(4)}", f"g-{token_hex(4)}"
    broker.commit(one, topic.name, {0: 4, 1: 5})
    broker.commit(other, topic.name, {0: 1})
    broker.commit(one, topic.name, {1: 6})
    assert (broker.committed(one, topic.name), broker.committed(other, topic.name)) == ({0: 4, 1: 6}, {0: 1})


def test_a_commit_of_an_older_epoch_is_refused_and_changes_nothing(broker: Broker, url: str, topic: Topic) -> None:
    group = f"g-{token_hex(4)}"
    broker.commit(group, topic.name, {0: 4}, epoch=2)
    said = "committed with epoch 2, so epoch 1 is refused"
    with closing(open_broker(url)) as zombie, pytest.raises(StaleEpoch, match=said):
        zombie.commit(group, topic.name, {0: 9}, epoch=1)
    assert broker.committed(group, topic.name) == {0: 4}


def test_an_older_epoch_is_refused_on_every_partition(broker: Broker, topic: Topic) -> None:
    group = f"g-{token_hex(4)}"
    broker.commit(group, topic.name, {0: 4}, epoch=2)
    with pytest.raises(StaleEpoch):
        broker.commit(group, topic.name, {1: 9}, epoch=1)


def test_a_commit_of_the_same_or_a_newer_epoch_is_taken(broker: Broker, topic: Topic) -> None:
    group = f"g-{token_hex(4)}"
    for epoch, offset in ((2, 4), (2, 5), (7, 6)):
        broker.commit(group, topic.name, {0: offset}, epoch=epoch)
    assert broker.committed(group, topic.name) == {0: 6}
