"""Events to blocks and back, and what becomes of lines that are no events."""

from __future__ import annotations

import random
from dataclasses import replace

import msgspec
import pytest
from pipeline_queue.brokers.protocol import Record
from pipeline_queue.codec import Decoded, blocks, decode, decode_all, encode
from pipeline_queue.errors import TooLarge
from pipeline_queue.events import Event, as_row, event_id, event_type
from pipeline_queue.topics import (
    BLOCK_BYTES_MAX,
    EVENT_BYTES_MAX,
    HEARTBEATS,
    MONITORING,
    RANDOM_NUMBERS,
    TOPICS,
    Topic,
)

SECOND_NS = 1_000_000_000
NOON_NS = 1_795_348_800 * SECOND_NS
GOOD = b'{"event_id":"p-0","time_ns":%d,"producer":"p","seq":0,"value":1.5}' % NOON_NS


def number(seq: int, *, producer: str = "p", time_ns: int = NOON_NS) -> Event:
    return event_type(RANDOM_NUMBERS)(
        event_id=event_id(producer, seq), time_ns=time_ns, producer=producer, seq=seq, value=seq / 3
    )


def record(value: bytes, *, topic: Topic = RANDOM_NUMBERS, append_time_ns: int = NOON_NS) -> Record:
    return Record(topic=topic.name, partition=1, offset=7, append_time_ns=append_time_ns, key=b"p", value=value)


def sample(topic: Topic) -> Event:
    """An event with each column at the edge of what it may hold."""
    edge = {"string": 'ü\n"\x00', "int64": 2**63 - 1, "float64": 100.0, "boolean": True}
    values = {column.name: edge[column.kind] if column.high is None else column.high for column in topic.columns}
    return event_type(topic)(**values | {"time_ns": NOON_NS})


@pytest.mark.parametrize("topic", [topic for topic in TOPICS.values() if not topic.raw], ids=lambda topic: topic.name)
def test_an_event_of_each_topic_comes_back_as_it_was(topic: Topic) -> None:
    event = sample(topic)
    assert decode(topic, record(encode([event]), topic=topic)) == Decoded(events=[event], late=[False], dead=[])


def test_a_line_is_plain_json_that_anyone_reads() -> None:
    import json

    assert json.loads(encode([number(3)])) == as_row(number(3))


def test_order_survives_and_each_event_has_a_line() -> None:
    events = [number(seq) for seq in range(100)]
    value = encode(events)
    assert (value.count(b"\n"), decode(RANDOM_NUMBERS, record(value)).events) == (100, events)


def test_floats_come_back_bit_for_bit() -> None:
    draw = random.Random(1)
    values = [draw.gauss(0, 10 ** draw.randint(-300, 300)) for _ in range(1000)] + [
        5e-324,
        1.7976931348623157e308,
        -0.0,
    ]
    make = event_type(RANDOM_NUMBERS)
    events = [make(event_id="e", time_ns=NOON_NS, producer="p", seq=0, value=value) for value in values]
    assert [e.value.hex() for e in decode(RANDOM_NUMBERS, record(encode(events))).events] == [v.hex() for v in values]


def test_a_block_holds_one_key_and_keeps_its_order() -> None:
    events = [number(seq, producer="ab"[seq % 2]) for seq in range(10)]
    found = {
        message.key: [event.seq for event in decode(RANDOM_NUMBERS, record(message.value)).events]
        for message in blocks(RANDOM_NUMBERS, events)
    }
    assert found == {b"a": [0, 2, 4, 6, 8], b"b": [1, 3, 5, 7, 9]}


@pytest.mark.parametrize(("events_max", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (10_000, [5])])
def test_a_block_holds_at_most_so_many_events_and_says_how_many(events_max: int, sizes: list[int]) -> None:
    messages = blocks(RANDOM_NUMBERS, map(number, range(5)), events_max=events_max)
    assert [int(dict(message.headers)["events"]) for message in messages] == sizes


def test_a_block_that_would_be_too_large_is_halved_until_it_fits() -> None:
    wide = Topic(name="wide", doc="", own_columns=HEARTBEATS.own_columns, key="service")
    events = [msgspec.structs.replace(sample(HEARTBEATS), service="s", doing="x" * 1000) for _ in range(6000)]
    messages = blocks(wide, events)
    sizes = [len(message.value) for message in messages]
    assert (len(messages), max(sizes) <= BLOCK_BYTES_MAX, sum(map(_events, messages))) == (2, True, 6000)


def _events(message: object) -> int:
    return int(dict(message.headers)["events"])  # type: ignore[attr-defined]


def test_a_single_event_above_the_limit_is_refused() -> None:
    huge = msgspec.structs.replace(sample(HEARTBEATS), doing="x" * (BLOCK_BYTES_MAX + 1))
    with pytest.raises(TooLarge, match="for `heartbeats` is above the limit"):
        blocks(HEARTBEATS, [huge])


# --- lines that are no events ---

HOSTILE = {
    "truncated": (GOOD[:-5], "truncated"),
    "no JSON": (b"hello", "malformed"),
    "binary": (bytes(range(256)).replace(b"\n", b""), "malformed"),
    "empty": (b"", "the line is empty"),
    "blank": (b" \t ", "the line is empty"),
    "a list": (b"[1,2]", "Expected `object`, got `array`"),
    "null": (b"null", "Expected `object`, got `null`"),
    "NaN": (GOOD.replace(b"1.5", b"NaN"), "malformed"),
    "Infinity": (GOOD.replace(b"1.5", b"Infinity"), "malformed"),
    "a number beyond float64": (GOOD.replace(b"1.5", b"1e999"), "out of range"),
    "text for a number": (GOOD.replace(b"1.5", b'"1.5"'), "Expected `float`, got `str` - at `$.value`"),
    "null for a number": (GOOD.replace(b"1.5", b"null"), "Expected `float`, got `null` - at `$.value`"),
    "true for a number": (GOOD.replace(b"1.5", b"true"), "Expected `float`, got `bool` - at `$.value`"),
    "a number for text": (GOOD.replace(b'"p"', b"5"), "Expected `str`, got `int` - at `$.producer`"),
    "a missing column": (GOOD.replace(b',"value":1.5', b""), "missing required field `value`"),
    "a column too many": (GOOD.replace(b"1.5", b'1.5,"colour":"red"'), "unknown field `colour`"),
    "a negative sequence number": (GOOD.replace(b'"seq":0', b'"seq":-1'), ">= 0"),
    "an integer beyond int64": (GOOD.replace(b'"seq":0', b'"seq":9223372036854775808'), "9223372036854775807"),
    "a fraction for an integer": (GOOD.replace(b'"seq":0', b'"seq":0.5'), "Expected `int`, got `float`"),
    "text too long": (GOOD.replace(b'"p"', b'"%s"' % (b"p" * 1025)), "length <= 1024"),
    "text that is not UTF-8": (GOOD.replace(b'"p"', b'"\xff"'), "not UTF-8"),
    "half a surrogate pair": (GOOD.replace(b'"p"', rb'"\ud800"'), "surrogate"),
    "a second value": (GOOD + b" " + GOOD, "trailing characters"),
    "1 MB": (GOOD.replace(b'"p"', b'"%s"' % (b"p" * 1_000_000)), "the line has 1,000,082 bytes, allowed are 65,536"),
    "nested deep": (b"[" * 60_000, "Expected `object`, got `array`"),
    "nested deep in a column": (GOOD.replace(b"1.5", b"[" * 60_000), "Expected `float`, got `array`"),
    "nested deep in a column too many": (GOOD.replace(b"1.5", b'1.5,"x":' + b"[" * 60_000), "unknown field `x`"),
    "from 1970": (GOOD.replace(b"%d" % NOON_NS, b"0"), "before its append, allowed are 604,800"),
    "of eight days ago": (
        GOOD.replace(b"%d" % NOON_NS, b"%d" % (NOON_NS - 8 * 86_400 * SECOND_NS)),
        "691,200 s before",
    ),
    "of tomorrow": (GOOD.replace(b"%d" % NOON_NS, b"%d" % (NOON_NS + 86_400 * SECOND_NS)), "86,400 s after its append"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_line_is_dead_with_its_reason_byte_for_byte_and_its_neighbours_live(name: str) -> None:
    line, reason = HOSTILE[name]
    decoded = decode(RANDOM_NUMBERS, record(GOOD + b"\n" + line + b"\n" + GOOD + b"\n"))
    (letter,) = decoded.dead
    assert (len(decoded.events), letter.raw, letter.letter_id) == (2, line, "random-numbers/1/7/1")
    assert reason in letter.reason


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_line_alone_is_dead_too(name: str) -> None:
    line, _ = HOSTILE[name]
    decoded = decode(RANDOM_NUMBERS, record(line))
    assert ([letter.raw for letter in decoded.dead], decoded.events) == ([line], [])


def test_a_percentage_above_100_is_dead() -> None:
    value = encode([msgspec.structs.replace(sample(MONITORING), us=100.5)])
    assert "<= 100" in decode(MONITORING, record(value, topic=MONITORING)).dead[0].reason


def test_a_line_as_long_as_allowed_lives() -> None:
    padded = GOOD[:-1] + b" " * (EVENT_BYTES_MAX - len(GOOD)) + b"}"
    assert len(decode(RANDOM_NUMBERS, record(padded + b"\n" + padded)).events) == 2


def test_lines_may_end_as_on_windows() -> None:
    assert len(decode(RANDOM_NUMBERS, record(GOOD + b"\r\n" + GOOD + b"\r\n")).events) == 2


def test_columns_may_come_in_any_order_with_spaces() -> None:
    value = b'{ "value" : 2, "seq" : 1 , "producer": "p", "time_ns": %d, "event_id": "e" }' % NOON_NS
    assert [event.value for event in decode(RANDOM_NUMBERS, record(value)).events] == [2.0]


def test_the_fate_of_a_line_does_not_depend_on_its_neighbours() -> None:
    draw = random.Random(3)
    unequal = []
    for _ in range(3000):
        lines = [bytearray(GOOD) for _ in range(4)]
        for _ in range(draw.randint(1, 3)):
            line = draw.choice(lines)
            at = draw.randrange(len(line) + 1)
            match draw.randrange(3):
                case 0:
                    line[at : at + 1] = bytes([draw.choice(b'{}[]",:0919.eE+-tfn \\\t\x00\x80\xff')])
                case 1:
                    del line[at:]
                case 2:
                    line[at:at] = draw.choice([b"{", b"}", b'"', b",", GOOD, b" " + GOOD, b"\xc3", b"\n"])
        together = decode(RANDOM_NUMBERS, record(b"\n".join(lines) + b"\n"))
        apart = decode_all(RANDOM_NUMBERS, [record(line) for line in b"\n".join(lines).split(b"\n")])
        if (together.events, [d.raw for d in together.dead]) != (apart.events, [d.raw for d in apart.dead]):
            unequal.append(lines)
    assert unequal == []


# --- late ---


@pytest.mark.parametrize(
    ("age_s", "late"), [(-60, False), (0, False), (10, False), (10.000000001, True), (604_800, True)]
)
def test_an_event_is_late_when_older_at_its_append_than_the_topic_allows(age_s: float, late: bool) -> None:
    at = record(GOOD, append_time_ns=NOON_NS + round(age_s * SECOND_NS))
    assert decode(RANDOM_NUMBERS, at).late == [late]


@pytest.mark.parametrize("age_s", [-3600, -61, 0, 9, 11, 604_801])
@pytest.mark.parametrize("neighbour", [b"", b"rubbish\n"], ids=["read whole", "read by line"])
def test_a_topic_that_takes_any_time_keeps_what_any_clock_says(age_s: int, neighbour: bytes) -> None:
    topic = replace(RANDOM_NUMBERS, takes_any_time=True)
    decoded = decode(topic, record(neighbour + GOOD, append_time_ns=NOON_NS + age_s * SECOND_NS))
    assert ([event.time_ns for event in decoded.events], decoded.late) == ([NOON_NS], [age_s > 10])
    assert [letter.raw for letter in decoded.dead] == neighbour.split()


def test_lateness_is_each_events_own() -> None:
    events = [number(0, time_ns=NOON_NS - 11 * SECOND_NS), number(1), number(2, time_ns=NOON_NS - 12 * SECOND_NS)]
    assert decode(RANDOM_NUMBERS, record(encode(events))).late == [True, False, True]


def test_a_replay_gives_the_same_answer() -> None:
    once = record(encode([number(0, time_ns=NOON_NS - 11 * SECOND_NS)]) + b"rubbish")
    assert decode(RANDOM_NUMBERS, once) == decode(RANDOM_NUMBERS, replace(once))


def test_many_records_come_back_as_one_in_order() -> None:
    records = [record(encode([number(seq), number(seq + 1)])) for seq in range(0, 10, 2)]
    assert [event.seq for event in decode_all(RANDOM_NUMBERS, records).events] == list(range(10))
