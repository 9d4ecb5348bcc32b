"""What a body is: an event, or a code of the table with a message that names what."""

from __future__ import annotations

import json
import random

import pytest
from pipeline_input.collector.reading import Code, Reader, Refused, pieces_of
from pipeline_queue.service_events import EventType, by_name, event_types
from pipeline_queue.topics import Column

READER = Reader(event_types(), length_max=2048)
SOUND = {"event_name": "crash_report", "user_id": 888, "timestamp": 1000, "message": "have_fun"}
"""As in the README."""


def code_of(body: bytes, reader: Reader = READER) -> tuple[Code, str]:
    try:
        reader.read(body)
    except Refused as refusal:
        return refusal.code, str(refusal)
    return Code.OK, ""


def body(**changed: object) -> bytes:
    return json.dumps(SOUND | changed).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in SOUND.items() if key != name}).encode()


@pytest.mark.parametrize(
    ("sent", "code", "names"),
    [
        (b"", Code.BAD_LENGTH, "empty"),
        (b"x" * 2049, Code.BAD_LENGTH, "2,049"),
        (b"x" * 2048, Code.BAD_JSON, ""),
        (b"\xff" * 9000, Code.BAD_LENGTH, "9,000"),
        (b'{"event_name', Code.BAD_JSON, ""),
        (b"12", Code.BAD_JSON, "12"),
        (b"[1]", Code.BAD_JSON, "[1]"),
        (b"null", Code.BAD_JSON, "null"),
        (b"\xe4", Code.BAD_JSON, "UTF-8"),
        (b'{"event_name":"install","user_id":1,"timestamp":3,"z":"\xe4"}', Code.BAD_JSON, "UTF-8"),
        (b'{"event_name":"install","user_id":NaN,"timestamp":3}', Code.BAD_JSON, "NaN"),
        (b'{"event_name":"install","user_id":1,"timestamp":3,"z":-Infinity}', Code.BAD_JSON, "Infinity"),
        (b"[" * 2000, Code.BAD_JSON, ""),
        (b'{"a": ' + b"[" * 900 + b"]" * 900 + b"}", Code.KEY_MISSING, "event_name"),
        (b"\xef\xbb\xbf{}", Code.KEY_MISSING, "event_name"),
        (without("event_name"), Code.KEY_MISSING, "event_name"),
        (body(event_name=""), Code.KEY_MISSING, "event_name"),
        (without("user_id"), Code.KEY_MISSING, "user_id"),
        (without("timestamp"), Code.KEY_MISSING, "timestamp"),
        (without("message"), Code.KEY_MISSING, "message"),
        (json.dumps({"event_name": "purchase", "user_id": 1, "timestamp": 2}).encode(), Code.KEY_MISSING, "sku"),
        (body(event_name=5), Code.BAD_TYPE, "event_name"),
        (body(event_name=["x"]), Code.BAD_TYPE, "event_name"),
        (body(event_name=None), Code.BAD_TYPE, "event_name"),
        (body(event_name=" crash_report"), Code.UNSUPPORTED, " crash_report"),
        (body(event_name="Crash_report"), Code.UNSUPPORTED, "purchase"),
        (body(user_id="1"), Code.BAD_TYPE, "user_id"),
        (body(user_id=True), Code.BAD_TYPE, "true"),
        (body(user_id=1.0), Code.BAD_TYPE, "1.0"),
        (body(user_id=None), Code.BAD_TYPE, "user_id"),
        (body(user_id=2**63), Code.BAD_TYPE, "64 bits"),
        (body(user_id=-(2**63) - 1), Code.BAD_TYPE, "64 bits"),
        (body(timestamp="abc"), Code.BAD_TYPE, "timestamp"),
        (body(message=5), Code.BAD_TYPE, "message"),
        (body(message="a\0b"), Code.UNIDENTIFIED, "NUL"),
        (body(message="\ud800"), Code.UNIDENTIFIED, "surrogate"),
        (body(id=5), Code.BAD_TYPE, "id"),
        (body(id=""), Code.UNIDENTIFIED, "id"),
        (body(id="x" * 129), Code.UNIDENTIFIED, "129"),
        (body(id="a\0"), Code.UNIDENTIFIED, "NUL"),
    ],
)
def test_what_is_no_event_is_refused_with_its_code_and_a_message_that_names_what(
    sent: bytes, code: Code, names: str
) -> None:
    found, message = code_of(sent)
    assert (found, names in message, message.isascii()) == (code, True, True), message


@pytest.mark.parametrize(
    "sent",
    [
        body(),
        b"  " + body() + b"\n",
        b"\xef\xbb\xbf" + body(),
        body(zzz=1),
        body(zzz="\ud800"),
        body(message=""),
        body(message='a,b\n\t"\\N\\.'),
        body(user_id=-(2**63), timestamp=2**63 - 1),
        b'{"event_name":"install","user_id":1,"user_id":2,"timestamp":3}',
        b'{"timestamp":3,"user_id":1,"event_name":"install"}',
        body(message="\U0001f600").decode().encode(),
    ],
)
def test_an_event_is_taken(sent: bytes) -> None:
    assert code_of(sent) == (Code.OK, "")


def test_strings_and_integers_come_through_as_they_were_sent() -> None:
    for text in ('a,b\n\t"\\N\\.', "\u00e9\u20ac\U0001f600\U0010ffff", "\x7f\x01"):
        for encoded in (
            json.dumps(SOUND | {"message": text}),
            json.dumps(SOUND | {"message": text}, ensure_ascii=False),
        ):
            assert READER.read(encoded.encode()).message == text
    assert READER.read(body(user_id=-(2**63))).user_id == -(2**63)


def test_the_length_counts_characters_not_bytes() -> None:
    room = 2048 - len(json.dumps(SOUND | {"message": ""}, ensure_ascii=False))
    for extra, code in ((0, Code.OK), (1, Code.BAD_LENGTH)):
        text = json.dumps(SOUND | {"message": "\U0001f600" * (room + extra)}, ensure_ascii=False)
        assert code_of(text.encode())[0] == code


def test_of_a_name_sent_twice_the_last_counts() -> None:
    sent = READER.read(b'{"event_name":"purchase","event_name":"install","user_id":1,"user_id":2,"timestamp":3}')
    assert (type(sent).__name__, sent.user_id) == ("install", 2)


def test_an_id_of_the_client_is_kept() -> None:
    assert READER.read(body(id="order-17")).id == "order-17"


class LevelDone(EventType):
    name = "level_done"
    doc = "A player finished a level"
    fields = (
        Column(name="level", kind="string", doc="which"),
        Column(name="seconds", kind="int64", doc="how long it took", low=0, high=86_400),
    )


@pytest.mark.parametrize(
    ("seconds", "code", "names"),
    [
        (0, Code.OK, ""),
        (86_400, Code.OK, ""),
        (-1, Code.BAD_TYPE, "`seconds` must be from 0 to 86400"),
        (86_401, Code.BAD_TYPE, "not 86401"),
        (2**63, Code.BAD_TYPE, "integer of 64 bits"),
        (1.0, Code.BAD_TYPE, "integer of 64 bits"),
    ],
)
def test_a_type_of_ones_own_is_held_to_its_limits(seconds: float, code: Code, names: str) -> None:
    sent = {"event_name": "level_done", "user_id": 1, "timestamp": 2, "level": "7", "seconds": seconds}
    found, said = code_of(json.dumps(sent).encode(), Reader(by_name([LevelDone]), length_max=2048))
    assert (found, names in said) == (code, True)


PIECES = [
    body(),
    body(message="\u00e9" * 1000),
    body(id="mine"),
    body(id=""),
    body(message="\0"),
    body(user_id="1"),
    body(event_name="x"),
    body(message="x" * 3000),
    b'{"event_name":"install","user_id":1,"timestamp":3}',
    b"5",
    b"{}",
]
HARMFUL_TO_AN_ARRAY = [without("message")[:-1] + b', "message": "\\ud800"}']
HARMFUL_TO_A_LINE = [b"\xff", b"{", b"{} {}", b"NaN"]


@pytest.mark.parametrize("seed", range(50))
def test_many_are_read_as_each_alone_would_be(seed: int) -> None:
    draw = random.Random(seed)
    for more, wrapped in (
        (HARMFUL_TO_A_LINE + HARMFUL_TO_AN_ARRAY, b"\n".join),
        (HARMFUL_TO_AN_ARRAY, lambda pieces: b"[" + b" ,\n".join(pieces) + b"]"),
    ):
        pieces = draw.choices(draw.choice([PIECES, PIECES + more, PIECES[:1]]), k=draw.randrange(1, 9))
        assert [outcome(each) for each in READER.read_each(pieces_of(wrapped(pieces)))] == [
            alone(piece) for piece in pieces
        ]


def alone(piece: bytes) -> object:
    try:
        return outcome(READER.read(piece))
    except Refused as refusal:
        return outcome(refusal)


def outcome(read: object) -> object:
    return read.code if isinstance(read, Refused) else read


def test_an_integer_without_limits_has_those_of_64_bits() -> None:
    class Counted(EventType):
        name = "counted"
        doc = "counted"
        fields = (Column(name="n", kind="int64", doc="how many"),)

    reader = Reader(by_name([Counted]), length_max=2048)
    sent = {"event_name": "counted", "user_id": 1, "timestamp": 2}
    codes = [code_of(json.dumps(sent | {"n": n}).encode(), reader)[0] for n in (2**63 - 1, 2**63, -(2**63) - 1)]
    assert codes == [Code.OK, Code.BAD_TYPE, Code.BAD_TYPE]
