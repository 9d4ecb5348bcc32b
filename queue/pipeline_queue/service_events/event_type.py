"""What applications may send to the collector: event types, each one small class.

In:   subclasses of EventType that say their name, what they are, and their fields.
Out:  of each its topic and a Struct of what clients send; tables, documents and OpenAPI follow from the same declaration.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, ClassVar

import msgspec

from pipeline_queue.topics import EVENT_BYTES_MAX, Column, Topic

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
CLIENT = Column(
    name="client", kind="string", doc="who sent it, by its token; empty where the collector is open", tag=True
)
COMMON = (
    Column(name="user_id", kind="int64", doc="whose event it is, as its client says", low=INT64_MIN, high=INT64_MAX),
    Column(
        name="timestamp",
        kind="int64",
        doc="the client's own integer, in whatever unit it likes",
        low=INT64_MIN,
        high=INT64_MAX,
    ),
)
"""What clients say with each event, beside its name."""
TAG = "event_name"


class EventType:
    """Declare one: `class Install(EventType): name = "install"; doc = "..."`."""

    name: ClassVar[str]
    doc: ClassVar[str]
    fields: ClassVar[tuple[Column, ...]] = ()
    """Its own, each a string or an integer of 64 bits; a string may be as long as a request."""

    @classmethod
    def topic(cls) -> Topic:
        return Topic(
            name=f"events-{cls.name.replace('_', '-')}",
            doc=cls.doc,
            own_columns=(CLIENT, *COMMON, *(_long(column) for column in cls.fields)),
            key="producer",
            partitions=4,
            retention_s=7 * 24 * 3600,
            takes_any_time=True,  # its sender was told that it is accepted
        )

    @classmethod
    @cache
    def sent(cls) -> type[msgspec.Struct]:
        """A Struct of what a client sends; other keys are ignored. Tagged by the name, so that types make a union."""
        own = [(column.name, _annotation(column)) for column in (*COMMON, *cls.fields)]
        options: dict[str, Any] = {"tag_field": TAG, "tag": cls.name, "frozen": True, "gc": False, "kw_only": True}
        return msgspec.defstruct(cls.name, [*own, ("id", str | None, None)], **options)


def _long(column: Column) -> Column:
    return replace(column, length_max=EVENT_BYTES_MAX)


def _annotation(column: Column) -> Any:
    if column.kind == "string":
        return str
    low = INT64_MIN if column.low is None else column.low
    return Annotated[int, msgspec.Meta(ge=low, le=INT64_MAX if column.high is None else column.high)]
