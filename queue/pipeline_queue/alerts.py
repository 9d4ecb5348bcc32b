"""Alerts as they travel: from the node that found them to the handlers that tell somebody.

In:   what an alert node found, and which handlers its script names; its id is the engine's and the same when a step is repeated.
Out:  an event of the topic `alerts`, and back; the JSON that Kapacitor's handlers send.
Cuts: what makes an event longer than EVENT_BYTES_MAX, so that it always travels: first rows of the data (each series that lost some
      says `"partial": true`), then the details, then the data as a whole. Cut text ends in a mark with a digest of the whole, so two ids stay two.
Refuses: (AlertTooLarge) handlers that alone are too long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from pipeline_queue.codec import encode
from pipeline_queue.errors import AlertTooLarge
from pipeline_queue.events import Event, event_type
from pipeline_queue.topics import ALERT_MESSAGE_LENGTH_MAX, ALERTS, EVENT_BYTES_MAX, STRING_LENGTH_MAX

LEVELS = ("OK", "INFO", "WARNING", "CRITICAL")
DETAILS_LENGTH_CUT = 4 * 1024
NO_DATA = '{"series":[]}'
_EPOCH = datetime(1970, 1, 1)
_NS = 1_000_000_000


class HandlerCall(msgspec.Struct, frozen=True):
    """A handler as a script names it: `.post('http://…').header('a', 'b').timeout(10s)`.

    `properties` has for each name the arguments of each of its calls; a duration is an int, in ns.
    """

    kind: str
    arguments: tuple[Any, ...] = ()
    properties: Mapping[str, tuple[tuple[Any, ...], ...]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert event; `at_ns` is its point's time, `data` the JSON of an object with `series`, numbers written as Go writes them."""

    event_id: str
    task: str
    node: str
    topic: str = ""
    group_id: str = "nil"
    alert_id: str
    level: str
    previous_level: str = "OK"
    message: str
    details: str = ""
    data: str = NO_DATA
    duration_ns: int = 0
    recoverable: bool = True
    at_ns: int
    handlers: tuple[HandlerCall, ...] = ()

    @property
    def body(self) -> bytes:
        """What `.post()`, `.log()`, `.exec()` and `.tcp()` send, without a newline."""
        return msgspec.json.encode(
            {
                "id": self.alert_id,
                "message": self.message,
                "details": self.details,
                "time": rfc3339(self.at_ns),
                "duration": self.duration_ns,
                "level": self.level,
                "data": msgspec.Raw(self.data.encode()),
                "previousLevel": self.previous_level,
                "recoverable": self.recoverable,
            }
        )

    @property
    def series(self) -> list[dict[str, Any]]:
        """The rows that it is about."""
        return msgspec.json.decode(self.data).get("series") or []


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who publishes, when, and as which of its events."""

    producer: str
    seq: int
    time_ns: int


def as_event(alert: Alert, origin: Origin) -> Event:
    """The alert as it is published, cut to fit; raises AlertTooLarge."""
    fitting = _with_short_names(alert)
    for smaller in _ever_smaller(fitting):
        event = _event(smaller, origin)
        if len(encode([event])) <= EVENT_BYTES_MAX:
            return event
    raise AlertTooLarge(alert.task, alert.node, size_bytes=len(msgspec.json.encode(alert.handlers)))


def from_event(event: Event) -> Alert:
    """The alert that was published; raises msgspec.MsgspecError where `handlers` or `data` is not of the declared form."""
    columns = msgspec.structs.asdict(event)
    for name in ("time_ns", "producer", "seq"):
        del columns[name]
    msgspec.json.decode(columns["data"], type=dict[str, Any])
    return Alert(**columns | {"handlers": msgspec.json.decode(columns["handlers"], type=tuple[HandlerCall, ...])})


def rfc3339(time_ns: int) -> str:
    """UTC, with as many digits of the second as there are: Go's RFC3339Nano."""
    seconds, ns = divmod(time_ns, _NS)
    fraction = f".{ns:09d}".rstrip("0") if ns else ""
    return f"{(_EPOCH + timedelta(seconds=seconds)).isoformat()}{fraction}Z"


def cut(text: str, length_max: int) -> str:
    """The text, or as much of it as fits with a mark that says how much is missing."""
    if len(text) <= length_max:
        return text
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
    mark = f"… [{len(text):,} characters, {digest}]"
    return text[: length_max - len(mark)] + mark


def _event(alert: Alert, origin: Origin) -> Event:
    columns = {column.name: getattr(alert, column.name) for column in ALERTS.own_columns}
    return event_type(ALERTS)(
        event_id=alert.event_id,
        time_ns=origin.time_ns,
        producer=origin.producer,
        seq=origin.seq,
        **columns | {"handlers": msgspec.json.encode(alert.handlers).decode()},
    )


def _with_short_names(alert: Alert) -> Alert:
    names = ("event_id", "task", "node", "topic", "group_id", "alert_id")
    short = {name: cut(getattr(alert, name), STRING_LENGTH_MAX) for name in names}
    return replace(alert, **short, message=cut(alert.message, ALERT_MESSAGE_LENGTH_MAX))


def _ever_smaller(alert: Alert) -> Iterator[Alert]:
    yield alert
    series = alert.series if len(alert.data) > DETAILS_LENGTH_CUT else []
    rows = max((len(each.get("values") or []) for each in series), default=0)
    while rows > 1:
        rows //= 2
        alert = replace(alert, data=_first_rows(series, rows))
        yield alert
    alert = replace(alert, details=cut(alert.details, DETAILS_LENGTH_CUT))
    yield alert
    yield replace(alert, data='{"series":[],"partial":true}', details=cut(alert.details, STRING_LENGTH_MAX))


def _first_rows(series: Sequence[Mapping[str, Any]], rows: int) -> str:
    fewer = [
        {**each, "values": each["values"][:rows], "partial": True} if len(each.get("values") or []) > rows else each
        for each in series
    ]
    return msgspec.json.encode({"series": fewer}).decode()
