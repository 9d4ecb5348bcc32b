"""One write request: what of it is sound, and what there is to say about the rest.

In:      a body, and what its query and headers say of it.
Out:     messages for the topic `points`, and the bad lines.
Refuses: (Refused) a request of which nothing can be read.
From:    `POST /write` of InfluxDB 1.x and of Kapacitor 1.5. These refuse all lines of a request that has a bad one
         (Kapacitor), or keep the good ones (InfluxDB); here the good ones are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline_queue.brokers import Message
from pipeline_queue.points.block import Origin, messages
from pipeline_queue.points.line_protocol import Bad, BadPrecision, Parser

from pipeline_input.collector.unpacking import BadEncoding, TooMuch, unpacked

BODY_BYTES_MAX = 25 * 1024 * 1024
"""As InfluxDB's default, unpacked."""
NAME_BYTES_MAX = 1024
"""Of a database, and of a retention policy."""


class Refused(Exception):
    """With the HTTP status that says so."""

    def __init__(self, status: int, reason: object) -> None:
        super().__init__(str(reason))
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """`encoding` is that of the header `Content-Encoding`."""

    body: bytes
    database: str
    retention_policy: str = ""
    precision: str = ""
    encoding: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    messages: Sequence[Message]
    points: int
    bad: Sequence[Bad]


def take(write: Write, parser: Parser, *, now_ns: int, bytes_max: int = BODY_BYTES_MAX) -> Taken:
    """Raises Refused."""
    _check_names(write)
    if len(write.body) > bytes_max:
        raise Refused(413, f"the body has {len(write.body):,} bytes, allowed are {bytes_max:,}")
    try:
        body = unpacked(write.body, write.encoding, bytes_max=bytes_max)
        parsed = parser.parse(body, precision=write.precision, now_ns=now_ns)
    except TooMuch as reason:
        raise Refused(413, reason) from reason
    except BadEncoding as reason:
        raise Refused(415, reason) from reason
    except BadPrecision as reason:
        raise Refused(400, reason) from reason
    origin = Origin(write.database, write.retention_policy)
    made = [message for batch in parsed.batches for message in messages(origin, batch)]
    return Taken(messages=made, points=len(parsed), bad=parsed.bad)


def _check_names(write: Write) -> None:
    if not write.database:
        raise Refused(400, "database is required")
    for what, name in (("database", write.database), ("retention policy", write.retention_policy)):
        if "\0" in name or len(name.encode(errors="replace")) > NAME_BYTES_MAX or not _is_text(name):
            raise Refused(400, f"the {what}'s name is longer than {NAME_BYTES_MAX} bytes, or no text")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
