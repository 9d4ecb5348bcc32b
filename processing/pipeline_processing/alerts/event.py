"""What an alert tells its handlers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline_processing.alerts.levels import LEVELS
from pipeline_processing.points.keys import Tags
from pipeline_processing.results.json_text import dumps
from pipeline_processing.results.times import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerCall:
    """A handler as a script names it: `.slack().channel('#ops')` has the kind `slack`, no arguments, one property.

    Of a property that a script may set several times the value is a tuple of what each call said.
    """

    kind: str
    arguments: tuple[Any, ...] = ()
    properties: tuple[tuple[str, Any], ...] = ()

    def get(self, name: str, default: Any = None) -> Any:
        return dict(self.properties).get(name, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an alert stands: what templates tell of it, and what its own topic is called by."""

    task: str = ""
    node: str = ""
    hostname: str = ""
    cluster_id: str = ""
    server_id: str = ""

    @property
    def topic(self) -> str:
        """The topic that only this node's handlers hear."""
        return f"main:{self.task}:{self.node}"


NOWHERE = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """One event. `cause` and `ordinal` tell it from all others of its node, and are the same in a replay: the ordinal of
    the point or tick that it comes of, and its number among the events of that one.

    `data` is `{"series": [...]}`; `topic` the one that the script names, '' if none; a handler's properties that are
    templates are rendered.
    """

    id: str
    message: str
    details: str
    time_ns: int
    duration_ns: int
    level: int
    previous_level: int
    recoverable: bool
    data: Mapping[str, Any]
    group: str
    tags: Tags
    name: str
    database: str
    retention_policy: str
    place: Place
    topic: str
    category: str
    handlers: tuple[HandlerCall, ...]
    cause: int
    ordinal: int = 0
    unit: int = field(default=0, compare=False, repr=False)
    """Its place in the step."""

    @property
    def body(self) -> dict[str, Any]:
        """What `.post()` sends."""
        return {
            "id": self.id,
            "message": self.message,
            "details": self.details,
            "time": rfc3339(self.time_ns),
            "duration": self.duration_ns,
            "level": LEVELS[self.level],
            "data": self.data,
            "previousLevel": LEVELS[self.previous_level],
            "recoverable": self.recoverable,
        }

    def json(self) -> bytes:
        """The body as JSON, in one line; refuses numbers that JSON has not (NotJson)."""
        return dumps(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """From now on (or no more, where not `active`) a group holds back events of this category whose tags include these."""

    group: str
    category: str
    tags: Tags
    active: bool
    time_ns: int
    cause: int
    ordinal: int = 0
    unit: int = field(default=0, compare=False, repr=False)
    """Its place in the step."""
