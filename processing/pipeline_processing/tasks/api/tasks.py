"""`/tasks`: definitions, how they stand, and what their httpOuts hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TypeVar, cast

from pipeline_output.state.definitions import Definition
from pipeline_queue.clock import Clock

from pipeline_processing.tasks.api.bodies import TaskBody, read, read_past
from pipeline_processing.tasks.api.elsewhere import Elsewhere
from pipeline_processing.tasks.api.listing import Field, chosen, matching, page
from pipeline_processing.tasks.api.messages import Request, Response, answered, done, link
from pipeline_processing.tasks.changes import Change, NewTask
from pipeline_processing.tasks.errors import BadScript, Missing, Refused, UnknownEndpoint
from pipeline_processing.tasks.registry import TaskRegistry
from pipeline_processing.tasks.replays import Replays
from pipeline_processing.tasks.task_master import DotView, TaskMaster
from pipeline_processing.tasks.times import rfc3339
from pipeline_processing.tickscript.errors import TickError
from pipeline_processing.tickscript.formatting import formatted

FORMATTED, ATTRIBUTES = "formatted", "attributes"
FORMATS, VIEWS = (FORMATTED, "raw"), (ATTRIBUTES, "labels")
LISTED = (
    *("link", "id", "type", "dbrps", "script", "dot", "status", "executing", "error", "stats"),
    *("created", "modified", "last-enabled", "vars"),
)
Found = TypeVar("Found")


class Tasks:
    def __init__(
        self, registry: TaskRegistry, replays: Replays, clock: Clock, elsewhere: Elsewhere | None = None
    ) -> None:
        self._registry, self._replays, self._clock, self._elsewhere = registry, replays, clock, elsewhere

    def create(self, request: Request) -> Response:
        body = _body(request)
        asked = NewTask(
            id=body.id or "",
            script=body.script or "",
            dbrps=body.pairs,
            vars=body.vars or {},
            status=body.status or "disabled",
            from_ns=self._from_ns(body),
        )
        return self._whole(self._registry.create(asked))

    def patch(self, request: Request, task_id: str) -> Response:
        body = _body(request)
        change = Change(
            id=body.id or "",
            script=body.script or "",
            dbrps=body.pairs,
            vars=body.vars or {},
            status=body.status or None,
            from_ns=self._from_ns(body),
        )
        return self._whole(self._registry.patch(task_id, change))

    def delete(self, _request: Request, task_id: str) -> Response:
        self._registry.delete(task_id)
        return done()

    def show(self, request: Request, task_id: str) -> Response:
        definition = self._registry.definition(task_id)
        master = self._master(request, task_id)
        return self._whole(definition, master, _one_of(request, "script-format", FORMATS), _view(request))

    def list(self, request: Request) -> Response:
        script_format, view = _one_of(request, "script-format", FORMATS), _view(request)
        found = matching("tasks", self._registry.definitions(), request, lambda each: each.id)
        asked = page(found, request)
        others = self._elsewhere.tasks(request, [each.id for each in asked]) if self._elsewhere else {}
        told = []
        for each in asked:
            fields = self._fields(each, self._registry.master, script_format, view)
            told.append(others.get(each.id) or chosen(fields, request, LISTED))
        return answered({"tasks": told})

    def output(self, request: Request, task_id: str, endpoint: str) -> Response:
        """What an httpOut holds, in a replay's copy of the task if it is named."""
        master = self._master(request, task_id)
        try:
            return Response(status=200, body=master.get_output(task_id, endpoint))
        except UnknownEndpoint:
            self._registry.definition(task_id)
            raise

    def _from_ns(self, body: TaskBody) -> int | None:
        return read_past("from", body.from_, self._clock.now_ns())

    def _whole(
        self,
        definition: Definition,
        master: TaskMaster | None = None,
        script_format: str = FORMATTED,
        view: DotView = ATTRIBUTES,
    ) -> Response:
        fields = self._fields(definition, master or self._registry.master, script_format, view)
        told = {name: value() for name, value in fields.items()}
        if definition.begin:
            told["from"] = rfc3339(definition.begin.time_ns)
        return answered(told | {"dot": told["dot"] or "", "stats": told["stats"] or {}})

    def _fields(
        self, definition: Definition, master: TaskMaster, script_format: str, view: DotView
    ) -> Mapping[str, Field]:
        """In the order of one that is shown whole. What a task does not have is None."""
        executing = master.is_executing(definition.id)
        still = cache(partial(self._still, definition))
        return {
            "link": lambda: link("tasks", definition.id),
            "id": lambda: definition.id,
            "template-id": lambda: "",
            "type": lambda: definition.type,
            "dbrps": lambda: [{"db": database, "rp": policy} for database, policy in definition.dbrps],
            "script": lambda: laid_out(definition.script) if script_format == FORMATTED else definition.script,
            "vars": lambda: definition.vars,
            "dot": lambda: _if_runs(executing, partial(master.dot, definition.id, view)) or still()[0],
            "status": lambda: definition.status,
            "executing": lambda: executing,
            "error": lambda: "" if executing else self._registry.error(definition) or still()[1],
            "stats": lambda: _if_runs(executing, partial(master.stats, definition.id)),
            "created": lambda: rfc3339(definition.created_ns),
            "modified": lambda: rfc3339(definition.modified_ns),
            "last-enabled": lambda: rfc3339(definition.last_enabled_ns),
        }

    def _still(self, definition: Definition) -> tuple[str | None, str]:
        """The graph without counters, or why there is none: a script that once compiled may not do so any more."""
        try:
            return self._registry.dot(definition), ""
        except BadScript as error:
            return None, str(error)

    def _master(self, request: Request, task_id: str) -> TaskMaster:
        """Of the replay that is named, else the one for what comes in."""
        replay_id = request.first("replay-id")
        if not replay_id:
            return self._registry.master
        master = self._replays.task_master(replay_id)
        if master is None:
            raise Refused(f"no running replay with ID: {replay_id}")
        if not master.is_executing(task_id) and not master.endpoints(task_id):
            raise Refused(f"replay {replay_id} is not for task: {task_id}")
        return master


def laid_out(script: str) -> str:
    """As tickfmt does it; a script that it cannot read stays as it is."""
    try:
        return formatted(script)
    except TickError:
        return script


def _body(request: Request) -> TaskBody:
    body = read(request.body, TaskBody)
    if body.template_id:
        raise Refused(f"unknown template {body.template_id}: this server has no templates")
    return body


def _view(request: Request) -> DotView:
    return cast(DotView, _one_of(request, "dot-view", VIEWS))


def _one_of(request: Request, name: str, values: tuple[str, ...]) -> str:
    """The first of them unless it says another; raises Refused."""
    found = request.first(name) or values[0]
    if found not in values:
        raise Refused(f'invalid {name} parameter "{found}"; there are {" and ".join(values)}')
    return found


def _if_runs(executing: bool, asked: Callable[[], Found]) -> Found | None:
    """It may have stopped since it was looked at."""
    try:
        return asked() if executing else None
    except Missing:
        return None
