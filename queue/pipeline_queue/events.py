"""Event types, derived from the topics' declarations.

In:   a topic.
Out:  a frozen msgspec Struct whose fields are the topic's columns, in order, with their limits.
Ids:  a producer is its source's name and a random part, an event is its producer and a sequence number.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, TypeAlias

import msgspec

from pipeline_queue.topics import Column, Topic

Event: TypeAlias = msgspec.Struct
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


@cache
def event_type(topic: Topic) -> type[Event]:
    """The Struct of `topic`'s events; frozen."""
    fields = [(column.name, _annotation(column)) for column in topic.columns]
    return msgspec.defstruct(_class_name(topic.name), fields, frozen=True, gc=False, forbid_unknown_fields=True)


def new_producer(source: str) -> str:
    """A producer id that no other process has: `source` and 32 random bits."""
    return f"{source}-{secrets.token_hex(4)}"


def event_id(producer: str, seq: int) -> str:
    """Unique for ever; ids of one producer sort as they were made."""
    return f"{producer}-{seq:012d}"


def as_row(event: Event) -> Mapping[str, Any]:
    """The event's columns by name, in the declared order."""
    return msgspec.structs.asdict(event)


def _annotation(column: Column) -> Any:
    match column.kind:
        case "string":
            return Annotated[str, msgspec.Meta(max_length=column.length_max)]
        case "int64":
            low = INT64_MIN if column.low is None else column.low
            return Annotated[int, msgspec.Meta(ge=low, le=INT64_MAX if column.high is None else column.high)]
        case "float64":
            return Annotated[float, msgspec.Meta(ge=column.low, le=column.high)]
        case "boolean":
            return bool


def _class_name(topic_name: str) -> str:
    return "".join(part.capitalize() for part in topic_name.split("-")) + "Event"
