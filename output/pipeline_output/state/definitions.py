"""Definitions of tasks: what is kept of each, and what keeps them does.

A definition that is written again must be the one that was read: who comes second is refused instead of undoing what the
first one did. Numbers come from one counter of the whole store, which never goes back: a task that is deleted and defined
anew has another version than it ever had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Dbrp = tuple[str, str]
"""A database and a retention policy."""
TaskType = Literal["stream", "batch"]
Status = Literal["enabled", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Where a task begins to read: with what the queue took from `time_ns` on. Asked for again, it begins again."""

    time_ns: int
    asked_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One task, as somebody defined it."""

    id: str
    type: TaskType
    dbrps: tuple[Dbrp, ...]
    script: str
    vars: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Each variable's type, value and description, as JSON has them."""
    begin: Begin | None = None
    """None is the time at which it is first started."""
    status: Status = "disabled"
    created_ns: int
    modified_ns: int
    last_enabled_ns: int | None = None
    version: int = 0
    """Of id, type, dbrps, script, vars and begin; given by the store."""
    revision: int = 0
    """Of all of it; given by the store."""

    @property
    def meaning(self) -> tuple[Any, ...]:
        """What makes a new version when it changes."""
        return self.id, self.type, self.dbrps, self.script, self.vars, self.begin


class DefinitionStore(Protocol):
    """Any thread may call it. Each call is done whole or not at all; all raise StoreUnavailable."""

    url: str
    """Without a password, for messages."""

    def create(self, definition: Definition) -> Definition:
        """Keep a new one and return it with its version; raises DefinitionExists."""

    def find(self, task_id: str) -> Definition | None:
        """The one with this id."""

    def every(self) -> list[Definition]:
        """All of them, by id in the order of code points."""

    def replace(self, before: Definition, after: Definition) -> Definition:
        """Keep `after` instead of `before`, under another id if it has one, and return it with its numbers.

        Raises DefinitionChanged if `before` is not what is kept now, DefinitionExists if another task has the new id.
        """

    def delete(self, task_id: str) -> Definition | None:
        """Forget it; the one that was there."""

    def close(self) -> None:
        """Let go of connections and files."""
