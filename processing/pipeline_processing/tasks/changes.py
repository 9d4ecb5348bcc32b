"""What may be asked of a definition, and what it is afterwards; nothing is kept or run here.

Refuses: (BadTaskId, BadScript, Refused) an id with other characters, no script or a wrong one, databases named neither by the script nor beside it, or
         by both, wrong variables, a begin in the future or of a task that is not enabled.
From:    Kapacitor 1.5: the script, not the request, makes a task's type.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline_output.state.definitions import Begin, Dbrp, Definition, Status

from pipeline_processing.tasks.errors import BadTaskId, Refused
from pipeline_processing.tasks.script_facts import script_facts
from pipeline_processing.tasks.variables import checked

ID_LENGTH_MAX = 255
NO_LETTERS = frozenset("-._0123456789")
"""What an id may hold besides letters of any alphabet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    id: str = ""
    """One that nobody has is made if it is empty."""
    script: str = ""
    dbrps: tuple[Dbrp, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)
    status: Status = "disabled"
    from_ns: int | None = None
    """The time of the queue at which it begins to read; now if it is None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is empty stays as it is."""

    id: str = ""
    script: str = ""
    dbrps: tuple[Dbrp, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)
    status: Status | None = None
    from_ns: int | None = None
    """Begin anew at this time of the queue."""


def defined(asked: NewTask, now_ns: int) -> Definition:
    """Raises Refused."""
    if not asked.script:
        raise Refused("must provide TICKscript")
    facts = script_facts(asked.script)
    return Definition(
        id=checked_id("task", asked.id),
        type=facts.type,
        dbrps=_dbrps(named=facts.dbrps, given=asked.dbrps, before=()),
        script=asked.script,
        vars=checked(asked.vars),
        begin=_begin(asked.from_ns, asked.status, now_ns),
        status=asked.status,
        created_ns=now_ns,
        modified_ns=now_ns,
        last_enabled_ns=now_ns if asked.status == "enabled" else None,
    )


def changed(before: Definition, change: Change, now_ns: int) -> Definition:
    """Raises Refused. A change of the status alone is never refused, whatever the script has become."""
    after = replace(before, status=change.status or before.status, modified_ns=now_ns)
    if after.status == "enabled" and before.status == "disabled":
        after = replace(after, last_enabled_ns=now_ns)
    if change.id and change.id != before.id:
        after = replace(after, id=checked_id("task", change.id))
    if change.vars:
        after = replace(after, vars=checked(change.vars))
    if change.script or change.dbrps:
        after = _read_anew(after, change)
    if change.from_ns is not None:
        return replace(after, begin=_begin(change.from_ns, after.status, now_ns))
    return after if after.meaning == before.meaning else replace(after, begin=None)


def _read_anew(after: Definition, change: Change) -> Definition:
    script = change.script or after.script
    facts = script_facts(script)
    # Databases that the former script named went with it.
    before = () if change.script and script_facts(after.script).dbrps else after.dbrps
    dbrps = _dbrps(named=facts.dbrps, given=change.dbrps, before=before)
    return replace(after, script=script, type=facts.type, dbrps=dbrps)


def _begin(from_ns: int | None, status: Status, now_ns: int) -> Begin | None:
    """Raises Refused."""
    if from_ns is None:
        return None
    if status != "enabled":
        raise Refused("`from` says where a task that is enabled begins, and this one is not")
    if from_ns > now_ns:
        raise Refused("`from` is in the future")
    return Begin(time_ns=from_ns, asked_ns=now_ns)


def checked_id(kind: str, asked: str) -> str:
    """The id, or a new one; raises BadTaskId."""
    if not asked:
        return str(uuid.uuid4())
    if len(asked) > ID_LENGTH_MAX or not all(char.isalpha() or char in NO_LETTERS for char in asked):
        raise BadTaskId(kind, asked)
    return asked


def _dbrps(*, named: tuple[Dbrp, ...], given: tuple[Dbrp, ...], before: tuple[Dbrp, ...]) -> tuple[Dbrp, ...]:
    """Raises Refused."""
    if named and given:
        raise Refused("cannot specify dbrp both implicitly, in the script, and explicitly")
    found = named or given or before
    if not found:
        raise Refused("must specify dbrp")
    return found
