"""A request's body to an event, or to the reason why it is none.

In:      bytes, and the event types; one event, or many as a JSON array or a line each.
Out:     what was sent, as its type's Struct; of many, for each in order that or its refusal.
Refuses: (Refused) with the code of the table that clients know, and a message that names what and where.
Sound events are decoded once, straight into their Struct, by msgspec (0.6 µs). Only what that refuses is looked at step by
step, by the standard library, whose parser tells an unpaired surrogate from broken JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from functools import reduce
from operator import or_
from typing import Any, NoReturn

import msgspec
from pipeline_queue.service_events import EventType
from pipeline_queue.service_events.event_type import COMMON, INT64_MAX, INT64_MIN, TAG
from pipeline_queue.topics import EVENTS_PER_BLOCK_MAX, Column

WHITESPACE = b" \t\r\n"
BOM = b"\xef\xbb\xbf"
EVENTS_MAX = EVENTS_PER_BLOCK_MAX
"""Of one request."""
ARRAY_COMMAS_MAX = 64 * EVENTS_MAX
"""An array has to be taken apart before its elements can be counted; with more commas it is not begun."""
ID_LENGTH_MAX = 128
KEY_LENGTH_MAX = 120
"""Of a request's key: an event's place in the request is added, and it is an id."""
SHOWN_LENGTH = 100
_NO_ELEMENT = re.compile(r"[ \t\r\n,]*")
_SCANNER = json.JSONDecoder()
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


class Code(IntEnum):
    """The replies that clients know, each with its standing message."""

    def __new__(cls, value: int, message: str) -> Code:
        code = int.__new__(cls, value)
        code._value_ = value
        code.message = message
        return code

    message: str
    OK = 0, "ok"
    UNIDENTIFIED = 1, "unidentified event error"
    NO_CONTENT = 2, "no message content found"
    BAD_JSON = 3, "bad json structure"
    KEY_MISSING = 4, "mandatory key missing"
    BAD_TYPE = 5, "invalid value type"
    BAD_LENGTH = 6, "input too long or too short"
    UNSUPPORTED = 7, "unsupported event"
    INTERNAL = 100, "internal error"


class Refused(Exception):
    """No event, for a reason that its sender can do something about; `type_name` is empty until its type is known."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(f"{code.message}: {detail}")
        self.code, self.type_name = code, ""


class Reader:
    """Of all event types that a collector takes."""

    def __init__(self, types: Mapping[str, type[EventType]], *, length_max: int) -> None:
        self._types, self._length_max = types, length_max
        self._decoder = msgspec.json.Decoder(reduce(or_, (each.sent() for each in types.values())))

    def read(self, body: bytes) -> msgspec.Struct:
        """Raises Refused."""
        text = self._text(body)
        try:
            sent = self._decoder.decode(text)
        except (msgspec.MsgspecError, RecursionError):
            return self._of(_parsed(text))
        return _checked(sent)

    def read_each(self, pieces: Sequence[bytes]) -> list[msgspec.Struct | Refused]:
        """What each of them is."""
        return self._read_quickly(pieces) or [_tried(self.read, piece) for piece in pieces]

    def _read_quickly(self, pieces: Sequence[bytes]) -> list[msgspec.Struct | Refused] | None:
        """All of them, where nothing has to be looked at closely."""
        if max(map(len, pieces)) > self._length_max or any(b"\\u0000" in piece for piece in pieces):
            return None
        try:
            found = list(map(self._decoder.decode, pieces))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return None if any(each.id is not None for each in found) else found

    def _text(self, body: bytes) -> str:
        if not body:
            raise Refused(Code.BAD_LENGTH, "the body is empty")
        if len(body) > 4 * self._length_max + len(BOM):  # too long whatever it says
            raise Refused(Code.BAD_LENGTH, f"{len(body):,} bytes, allowed are {self._length_max:,} characters")
        try:
            text = body.removeprefix(BOM).decode()
        except UnicodeDecodeError as error:
            raise Refused(Code.BAD_JSON, f"byte {error.start} is not UTF-8") from error
        if len(text) > self._length_max:
            raise Refused(Code.BAD_LENGTH, f"{len(text):,} characters, allowed are {self._length_max:,}")
        return text

    def _of(self, sent: Any) -> msgspec.Struct:
        """What is wrong with it, found step by step; or the event, if that is in a key that nobody reads."""
        if not isinstance(sent, dict):
            raise Refused(Code.BAD_JSON, f"an object is wanted, not {_shown(sent)}")
        kind = self._kind(sent)
        try:
            return _of_kind(kind, sent)
        except Refused as refusal:
            refusal.type_name = kind.name
            raise

    def _kind(self, sent: Mapping[str, Any]) -> type[EventType]:
        name = sent.get(TAG, "")
        if not isinstance(name, str):
            raise Refused(Code.BAD_TYPE, f"`{TAG}` must be a string, not {_shown(name)}")
        if not name:
            raise Refused(Code.KEY_MISSING, f"`{TAG}`")
        if name not in self._types:
            raise Refused(Code.UNSUPPORTED, f"{_shown(name)}; there are {', '.join(self._types)}")
        return self._types[name]


def type_name(sent: msgspec.Struct | Refused) -> str:
    """Of the event type; empty where what was refused has none that is known."""
    return sent.type_name if isinstance(sent, Refused) else str(sent.__struct_config__.tag)


def pieces_of(body: bytes) -> list[bytes]:
    """The events of a body, unread: a JSON array's elements, or lines, blank ones left out.

    Raises Refused when the body is no such thing, has none, or more than EVENTS_MAX.
    """
    body = body.removeprefix(BOM)
    is_array = body.lstrip(WHITESPACE).startswith(b"[")
    if body.count(b",") > ARRAY_COMMAS_MAX if is_array else body.count(b"\n") > EVENTS_MAX:
        raise Refused(Code.BAD_LENGTH, f"the body holds more than {EVENTS_MAX:,} events")
    pieces = _elements(body) if is_array else _lines(body)
    if not 0 < len(pieces) <= EVENTS_MAX:
        raise Refused(Code.BAD_LENGTH, f"the body holds {len(pieces):,} events, allowed are 1 to {EVENTS_MAX:,}")
    return pieces


def _lines(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if line and not line.isspace()]


def _elements(body: bytes) -> list[bytes]:
    """An array's, each as it was sent; raises Refused."""
    try:
        return [bytes(each) for each in _ARRAY.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return list(_elements_with_surrogates(body))


def _elements_with_surrogates(body: bytes) -> Iterator[bytes]:
    """The same of an array that msgspec refuses as a whole for what is wrong with one element."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refused(Code.BAD_JSON, f"byte {error.start} is not UTF-8") from error
    if not _parsed(text):
        return
    at = text.index("[") + 1
    while (begin := _NO_ELEMENT.match(text, at).end()) < len(text) and text[begin] != "]":
        _, at = _SCANNER.raw_decode(text, begin)
        yield text[begin:at].encode()


def _tried(read: Callable[[bytes], msgspec.Struct], piece: bytes) -> msgspec.Struct | Refused:
    try:
        return read(piece)
    except Refused as refusal:
        refusal.__cause__ = refusal.__context__ = None  # thousands of them would keep their frames
        return refusal.with_traceback(None)


def _parsed(text: str) -> Any:
    def no_number(name: str) -> NoReturn:
        raise ValueError(f"{name} is no number of JSON")

    try:
        return json.loads(text, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise Refused(Code.BAD_JSON, str(error) or "nested too deep") from error


def _of_kind(kind: type[EventType], sent: Mapping[str, Any]) -> msgspec.Struct:
    columns = (*COMMON, *kind.fields)
    for column in columns:
        if column.name not in sent:
            raise Refused(Code.KEY_MISSING, f"`{column.name}`")
    for column in columns:
        _check_type(column, sent[column.name])
    if not isinstance(sent.get("id"), str | None):
        raise Refused(Code.BAD_TYPE, f"`id` must be a string, not {_shown(sent['id'])}")
    return _checked(kind.sent()(**{name: sent.get(name) for name in (*(column.name for column in columns), "id")}))


def _check_type(column: Column, value: object) -> None:
    if column.kind == "string":
        if not isinstance(value, str):
            raise Refused(Code.BAD_TYPE, f"`{column.name}` must be a string, not {_shown(value)}")
    elif isinstance(value, bool) or not isinstance(value, int) or not INT64_MIN <= value <= INT64_MAX:
        raise Refused(Code.BAD_TYPE, f"`{column.name}` must be an integer of 64 bits, not {_shown(value)}")
    elif not _low(column) <= value <= _high(column):
        raise Refused(Code.BAD_TYPE, f"`{column.name}` must be from {_low(column)} to {_high(column)}, not {value}")


def _low(column: Column) -> int:
    return INT64_MIN if column.low is None else column.low


def _high(column: Column) -> int:
    return INT64_MAX if column.high is None else column.high


def _checked(sent: msgspec.Struct) -> msgspec.Struct:
    try:
        for name in sent.__struct_fields__:
            if isinstance(value := getattr(sent, name), str):
                _check_text(name, value)
    except Refused as refusal:
        refusal.type_name = type_name(sent)
        raise
    return sent


def _check_text(name: str, value: str) -> None:
    if "\0" in value:
        raise Refused(Code.UNIDENTIFIED, f"`{name}` holds a NUL, which no database takes")
    if not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value):
        raise Refused(Code.UNIDENTIFIED, f"`{name}` holds an unpaired surrogate")
    if name == "id" and not 0 < len(value) <= ID_LENGTH_MAX:
        raise Refused(Code.UNIDENTIFIED, f"`id` has {len(value)} characters, allowed are 1 to {ID_LENGTH_MAX}")


def _shown(value: object) -> str:
    """As JSON in ASCII, so that a reply can hold it whatever it is."""
    try:
        return json.dumps(value)[:SHOWN_LENGTH]
    except RecursionError:
        return "something nested too deep to show"
