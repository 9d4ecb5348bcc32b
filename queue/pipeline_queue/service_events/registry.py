"""Which event types there are.

In:   those that come with the pipeline, and those that other packages name as entry points in `pipeline.event_types`.
Out:  `event_types()`, by name.
Refuses: (BadEventType) two types of one name, a name that no topic may have, a field that hides one that every event has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points

from pipeline_queue.errors import QueueError
from pipeline_queue.service_events.declared import CrashReport, Install, Purchase
from pipeline_queue.service_events.event_type import CLIENT, COMMON, NAME, TAG, EventType
from pipeline_queue.topics import ENVELOPE

ENTRY_POINTS = "pipeline.event_types"
KINDS = ("string", "int64")
TAKEN = {column.name for column in (*ENVELOPE, CLIENT, *COMMON)} | {TAG, "id"}


class BadEventType(QueueError):
    """A declaration that cannot be used."""


@cache
def event_types() -> Mapping[str, type[EventType]]:
    """All that are installed, by name, in alphabetical order."""
    return by_name([CrashReport, Install, Purchase, *(point.load() for point in entry_points(group=ENTRY_POINTS))])


def by_name(types: Iterable[type[EventType]]) -> Mapping[str, type[EventType]]:
    """Raises BadEventType."""
    found: dict[str, type[EventType]] = {}
    for each in types:
        _check(each, found.get(each.name))
        found[each.name] = each
    return dict(sorted(found.items()))


def _check(new: type[EventType], other: type[EventType] | None) -> None:
    if not NAME.fullmatch(new.name):
        raise BadEventType(
            f"{_place(new)} is called `{new.name}`; a name has lower case letters, digits and `_`, at most 63"
        )
    if other is not None:
        raise BadEventType(f"{_place(new)} and {_place(other)} are both called `{new.name}`; rename one of them")
    for column in new.fields:
        if column.name in TAKEN or not NAME.fullmatch(column.name):
            raise BadEventType(
                f"{_place(new)} has a field `{column.name}`, which every event has or none may have; rename it"
            )
        if column.kind not in KINDS:
            raise BadEventType(f"`{column.name}` of {_place(new)} is {column.kind}; fields are {' or '.join(KINDS)}")


def _place(of: type[EventType]) -> str:
    return f"{of.__module__}.{of.__qualname__}"
