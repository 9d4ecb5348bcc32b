"""What clients send as JSON.

In:      bytes. Unknown names are passed over and null is as good as missing, as in Kapacitor.
Refuses: (Refused) what is no JSON, or has values of other types.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec

from pipeline_processing.tasks.errors import Refused
from pipeline_processing.tasks.times import duration_ns, time_ns

Text = str | None
Type = Literal["stream", "batch", ""] | None
Span = Annotated[str, "RFC 3339"] | None


class Body(msgspec.Struct, frozen=True, kw_only=True, rename=lambda name: name.rstrip("_").replace("_", "-")):
    """Names have hyphens; one that Python has for itself ends with `_` here."""


Sent = TypeVar("Sent", bound=Body)


class Dbrp(Body):
    db: str
    rp: str = ""


class TaskBody(Body):
    id: Text = None
    template_id: Text = None
    type: Type = None
    dbrps: list[Dbrp] | None = None
    script: Text = None
    status: Literal["enabled", "disabled", ""] | None = None
    vars: dict[str, Any] | None = None
    from_: Text = None

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        return tuple((each.db, each.rp) for each in self.dbrps or ())


class RecordingBody(Body):
    """Of a stream, a batch or a query: each has its own names."""

    id: Text = None
    task: Text = None
    type: Type = None
    start: Span = None
    stop: Span = None
    query: Text = None


class ReplayBody(Body):
    id: Text = None
    task: Text = None
    recording: Text = None
    recording_time: bool | None = None
    clock: Literal["fast", "real"] | None = None
    start: Span = None
    stop: Span = None
    query: Text = None


class LevelBody(Body):
    level: str = ""


def read(body: bytes, kind: type[Sent]) -> Sent:
    """Raises Refused."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as reason:
        raise Refused(f"invalid JSON: {reason}") from None


def read_time(name: str, text: str | None) -> int | None:
    """In ns, None where it is missing; raises Refused."""
    try:
        return time_ns(text) if text else None
    except ValueError as reason:
        raise Refused(f"invalid {name}: {reason}") from None


def read_past(name: str, text: str | None, now_ns: int) -> int | None:
    """A time, or one as long ago as `-1h` says, in ns; None where it is missing. Raises Refused."""
    if not text or not text.startswith("-"):
        return read_time(name, text)
    try:
        return now_ns + duration_ns(text)
    except ValueError as reason:
        raise Refused(f"invalid {name}: {reason}") from None
