"""Events to blocks and back: newline-delimited JSON, one line an event.

In:      events of one topic, or records read from a broker.
Out:     messages of one partition key each; or the events of a record, which of them are late, and its dead letters.
Refuses: a block above the limit (TooLarge). Reading refuses nothing: a line that is no event becomes a dead letter, the
         lines around it are kept.
A record of more lines or bytes than a block may have is one dead letter as a whole. A line is dead when it is empty, too long, no JSON, not UTF-8, of other columns or types than declared, out of a column's
limits, or dated more than AGE_S_MAX before or AHEAD_S_MAX after its append, unless its topic takes any time. An event is late
when it is dated more than the topic's `lateness_s` before its append; the append time is the record's own, so a replay gives
the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import msgspec

from pipeline_queue.brokers.protocol import Message, Record
from pipeline_queue.dead_letters import DeadLetter
from pipeline_queue.errors import TooLarge
from pipeline_queue.events import Event, event_type
from pipeline_queue.topics import AGE_S_MAX, AHEAD_S_MAX, BLOCK_BYTES_MAX, EVENT_BYTES_MAX, EVENTS_PER_BLOCK_MAX, Topic

ENCODING = ("encoding", b"ndjson")
REPEATED = ("repeated", b"1")
"""On every message that is sent again after an attempt of unknown outcome: its events may be on the topic already. What
lacks it is there once."""
_ENCODER = msgspec.json.Encoder()
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What records held: `late[i]` belongs to `events[i]`, in offset and line order."""

    events: list[Event]
    late: list[bool]
    dead: list[DeadLetter]


def encode(events: Sequence[Event]) -> bytes:
    """One line an event, each closed by a newline."""
    return _ENCODER.encode_lines(events)


def blocks(topic: Topic, events: Iterable[Event], *, events_max: int = EVENTS_PER_BLOCK_MAX) -> list[Message]:
    """Messages of at most `events_max` events and BLOCK_BYTES_MAX bytes, each of one key; order per key is kept."""
    by_key: dict[str, list[Event]] = {}
    for event in events:
        by_key.setdefault(getattr(event, topic.key), []).append(event)
    return [
        message
        for key, of_key in by_key.items()
        for start in range(0, len(of_key), events_max)
        for message in _fitting(topic, key.encode(), of_key[start : start + events_max])
    ]


def as_repeated(message: Message) -> Message:
    """The message as it is sent a second time, or a later one."""
    return message if REPEATED in message.headers else replace(message, headers=(*message.headers, REPEATED))


def is_repeated(record: Record) -> bool:
    """Whether it was sent again, so that its events may lie in an earlier record too."""
    return any(name == REPEATED[0] for name, _ in record.headers)


def decode(topic: Topic, record: Record) -> Decoded:
    """The events and dead letters of one record."""
    events = _decode_whole(topic, record)
    if events is None:
        return _decode_by_line(topic, record)
    return Decoded(events=events, late=[False] * len(events), dead=[])


def decode_all(topic: Topic, records: Iterable[Record]) -> Decoded:
    """The same over many records, in their order."""
    joined = Decoded(events=[], late=[], dead=[])
    for record in records:
        decoded = decode(topic, record)
        joined.events.extend(decoded.events)
        joined.late.extend(decoded.late)
        joined.dead.extend(decoded.dead)
    return joined


def _fitting(topic: Topic, key: bytes, events: list[Event]) -> Iterator[Message]:
    value = encode(events)
    if len(value) <= BLOCK_BYTES_MAX:
        yield Message(key=key, value=value, headers=(ENCODING, ("events", b"%d" % len(events))))
    elif len(events) == 1:
        raise TooLarge(topic.name, size_bytes=len(value), size_bytes_max=BLOCK_BYTES_MAX)
    else:
        half = len(events) // 2
        yield from _fitting(topic, key, events[:half])
        yield from _fitting(topic, key, events[half:])


@cache
def _decoder(topic: Topic) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(event_type(topic))


def _decode_whole(topic: Topic, record: Record) -> list[Event] | None:
    """All events at once where each is sound and in time, which is the rule; else None."""
    if len(record.value) > EVENT_BYTES_MAX and max(map(len, record.value.split(b"\n"))) > EVENT_BYTES_MAX:
        return None
    try:
        events = _decoder(topic).decode_lines(record.value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not events or not _has_a_line_each(record.value, len(events)):
        return None
    times_ns = [event.time_ns for event in events]
    is_late = min(times_ns) < record.append_time_ns - topic.lateness_s * _NS
    is_ahead = max(times_ns) > record.append_time_ns + AHEAD_S_MAX * _NS and not topic.takes_any_time
    return None if is_late or is_ahead else events


def _has_a_line_each(value: bytes, events: int) -> bool:
    """The decoder takes two values on a line, one over two lines, and blank lines; by line, they are dead letters."""
    between = value.count(b"}\n{")
    newlines = value.count(b"\n")
    return value[0] == ord("{") and between == events - 1 and newlines == between + value.endswith(b"}\n")


def _decode_by_line(topic: Topic, record: Record) -> Decoded:
    decoded = Decoded(events=[], late=[], dead=[])
    if (newlines := record.value.count(b"\n")) > EVENTS_PER_BLOCK_MAX or len(record.value) > BLOCK_BYTES_MAX:
        reason = (
            f"the record has {newlines:,} lines in {len(record.value):,} bytes, "
            f"allowed are {EVENTS_PER_BLOCK_MAX:,} in {BLOCK_BYTES_MAX:,}"
        )
        decoded.dead.append(DeadLetter.of(record, line=0, raw=record.value, reason=reason))
        return decoded
    lines = record.value.split(b"\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines):
        event, reason = _read_line(topic, line, record.append_time_ns)
        if event is None:
            decoded.dead.append(DeadLetter.of(record, line=number, raw=line, reason=reason))
        else:
            decoded.events.append(event)
            decoded.late.append(event.time_ns < record.append_time_ns - topic.lateness_s * _NS)
    return decoded


def _read_line(topic: Topic, line: bytes, append_time_ns: int) -> tuple[Event | None, str]:
    """The line's event, or None and the reason."""
    if len(line) > EVENT_BYTES_MAX:
        return None, f"the line has {len(line):,} bytes, allowed are {EVENT_BYTES_MAX:,}"
    if not line.strip():
        return None, "the line is empty"
    try:
        event = _decoder(topic).decode(line)
    except UnicodeDecodeError as error:
        return None, f"byte {error.start} of a string is not UTF-8"
    except RecursionError:
        return None, "nested too deep"
    except msgspec.MsgspecError as error:
        return None, str(error)
    reason = "" if topic.takes_any_time else _wrong_time(event.time_ns, append_time_ns)
    return (None, reason) if reason else (event, "")


def _wrong_time(time_ns: int, append_time_ns: int) -> str:
    ahead_s = (time_ns - append_time_ns) / _NS
    if ahead_s > AHEAD_S_MAX:
        return f"`time_ns` {time_ns} is {ahead_s:,.0f} s after its append, allowed are {AHEAD_S_MAX}"
    if -ahead_s > AGE_S_MAX:
        return f"`time_ns` {time_ns} is {-ahead_s:,.0f} s before its append, allowed are {AGE_S_MAX:,}"
    return ""
