"""What a script says of its task by itself: its type, and the databases that it reads.

Refuses: (BadScript) what is no TICKscript; (Refused) one that begins neither with `stream` nor with `batch`, or with both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from pipeline_output.state.definitions import Dbrp, TaskType

from pipeline_processing.tasks.errors import BadScript, Refused
from pipeline_processing.tickscript import syntax
from pipeline_processing.tickscript.errors import TickError
from pipeline_processing.tickscript.parser import parse

SOURCES = ("stream", "batch")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptFacts:
    type: TaskType
    dbrps: tuple[Dbrp, ...]


def script_facts(script: str) -> ScriptFacts:
    """Raises BadScript, Refused."""
    try:
        program = parse(script)
    except TickError as error:
        raise BadScript(error) from error
    sources = set(_sources(program))
    if len(sources) != 1:
        found = " and ".join(sorted(sources)) or "neither stream nor batch"
        raise Refused(f"invalid task type: the script begins with {found}, and it is one of them that makes the type")
    dbrps = [each for each in program.statements if isinstance(each, syntax.Dbrp)]
    return ScriptFacts(
        type=cast(TaskType, sources.pop()), dbrps=tuple((each.database, each.retention_policy) for each in dbrps)
    )


def dbrp_of(text: str) -> Dbrp:
    """`db.rp`, each in double quotes or not; in quotes a name may hold a dot. Raises ValueError."""
    quoted = text if text.startswith('"') else ".".join(f'"{part}"' for part in text.split("."))
    try:
        (found,) = parse(f"dbrp {quoted}").statements
    except (TickError, ValueError):
        found = None
    if not isinstance(found, syntax.Dbrp):
        raise ValueError(f'`{text}` is no database and retention policy; write `db.rp` or `"db"."rp"`')
    return found.database, found.retention_policy


def _sources(program: syntax.Program) -> Iterator[str]:
    for statement in program.statements:
        value = statement.value if isinstance(statement, syntax.Declaration) else statement
        begins = value.start if isinstance(value, syntax.Pipeline) else value
        if isinstance(begins, syntax.Identifier) and begins.name in SOURCES:
            yield begins.name
