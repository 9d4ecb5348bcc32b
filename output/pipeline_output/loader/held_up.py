"""The types that the database does not let be loaded now, while it takes the others.

In:   what a turn, or the making of a table, met: a right that is missing, a table that somebody dropped, a rule at the commit.
Out:  which types are left alone until when, each with the patience of its own; one line in the log when it begins and one
      when it is over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline_output.errors import TableHeldUp
from pipeline_output.loader.event_table import EventTable
from pipeline_output.loader.schedule import Patience

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Held:
    patience: Patience = field(default_factory=Patience)
    said: str = ""


class HeldUp:
    """May be told from any thread, of a type from one at a time."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}

    def failed(self, table: EventTable, trouble: TableHeldUp, now_ns: int) -> None:
        held = self._held.setdefault(table.name, _Held())
        if not held.patience.failures:
            log.warning("%s", trouble)
        held.said = str(trouble)
        held.patience.failed(now_ns)

    def freed(self, table: EventTable) -> None:
        if self._held.pop(table.name, None):
            log.warning("`%s` is loaded again", table.name)

    def holds(self, name: str) -> bool:
        return name in self._held

    def to_try(self, tables: Iterable[EventTable], now_ns: int) -> list[EventTable]:
        """Those of them that are held, and whose time has come."""
        return [each for each in tables if (held := self._held.get(each.name)) and held.patience.may_try(now_ns)]

    def next_at_ns(self, name: str) -> int | None:
        """When it is tried again; None if it is not held."""
        held = self._held.get(name)
        return held.patience.next_at_ns if held else None

    def __str__(self) -> str:
        """Of the first one why; empty if there is none."""
        held = [*self._held.values()]
        more = f" (and {len(held) - 1} more)" if len(held) > 1 else ""
        return f"{held[0].said}{more}" if held else ""
