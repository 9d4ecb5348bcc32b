"""Handlers of the operator that get every alert.

In:      a JSON file: a list of objects with `kind`, `arguments`, `properties`, and `level`, the least that they get (all if absent).
Out:     for an alert, the calls of its own handlers and of those.
Refuses: (BadSetting) a file that is not of that form, or that names a handler wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from pipeline_queue.alerts import LEVELS, HandlerCall
from pipeline_queue.errors import BadSetting

from pipeline_output.errors import BadHandler
from pipeline_output.handlers import Operator, made


class GlobalHandler(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A handler that gets every alert of its level or a higher one; `OK` means all."""

    kind: str
    arguments: tuple[Any, ...] = ()
    properties: Mapping[str, tuple[tuple[Any, ...], ...]] = {}
    level: Literal["OK", "INFO", "WARNING", "CRITICAL"] = "OK"

    @property
    def call(self) -> HandlerCall:
        return HandlerCall(kind=self.kind, arguments=self.arguments, properties=self.properties)

    def gets(self, level: str, previous_level: str) -> bool:
        """An alert that is over is told to who was told that it began."""
        reached = max(LEVELS.index(level), LEVELS.index(previous_level) if level == "OK" else 0)
        return reached >= LEVELS.index(self.level)


def global_handlers(path: Path | None, operator: Operator) -> Sequence[GlobalHandler]:
    """Those of the file, none without one; raises BadSetting."""
    if path is None:
        return ()
    try:
        found = msgspec.json.decode(path.read_bytes(), type=tuple[GlobalHandler, ...])
        for each in found:
            made(each.call, operator)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, BadHandler) as cause:
        raise BadSetting(f"ALERTS_HANDLERS_FILE is `{path}`, which cannot be used: {cause}") from None
    return found
