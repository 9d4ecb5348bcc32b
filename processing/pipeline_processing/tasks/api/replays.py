"""`/replays`: recordings that run through a copy of a task, what the copy's httpOuts hold, and which alerts it told.

The alerts are at `/replay-alerts/ID`: below `/replays/ID` any name may be an httpOut's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline_queue.clock import Clock

from pipeline_processing.results import dumps
from pipeline_processing.tasks.api.bodies import ReplayBody, read
from pipeline_processing.tasks.api.listing import Field, chosen, matching, page
from pipeline_processing.tasks.api.messages import Request, Response, answered, done, link
from pipeline_processing.tasks.api.recordings import CREATED, UNDER_WAY, span
from pipeline_processing.tasks.changes import checked_id
from pipeline_processing.tasks.errors import NoReplay, Refused
from pipeline_processing.tasks.registry import TaskRegistry
from pipeline_processing.tasks.replays import Replay, Replays, Timing
from pipeline_processing.tasks.task_master import TaskMaster
from pipeline_processing.tasks.times import rfc3339

LISTED = (*("link", "id", "recording", "task", "recording-time", "clock", "date", "error", "status", "progress"),)


class ReplayDoors:
    def __init__(self, registry: TaskRegistry, replays: Replays, clock: Clock) -> None:
        self._registry, self._replays, self._clock = registry, replays, clock

    def create(self, request: Request) -> Response:
        body, replay_id = _asked(request)
        task = self._registry.compiled(body.task or "")
        return _whole(self._replays.create(replay_id, task, body.recording or "", _timing(body)), CREATED)

    def create_batch(self, request: Request) -> Response:
        body, replay_id = _asked(request)
        start_ns, stop_ns = span(body.start, body.stop, self._clock)
        task = self._registry.compiled(body.task or "")
        begun = self._replays.create_batch(replay_id, task, _timing(body), start_ns=start_ns, stop_ns=stop_ns)
        return _whole(begun, CREATED)

    def create_query(self, request: Request) -> Response:
        body, replay_id = _asked(request)
        if not body.query:
            raise Refused("must provide query")
        task = self._registry.compiled(body.task or "")
        return _whole(self._replays.create_query(replay_id, task, _timing(body), query=body.query), CREATED)

    def show(self, _request: Request, replay_id: str) -> Response:
        """202 says that it is still running."""
        found = self._replays.show(replay_id)
        return _whole(found, UNDER_WAY if found.status == "running" else 200)

    def list(self, request: Request) -> Response:
        found = matching("replays", self._replays.every(), request, lambda each: each.id)
        return answered({"replays": [chosen(_fields(each), request, LISTED) for each in page(found, request)]})

    def delete(self, _request: Request, replay_id: str) -> Response:
        self._replays.delete(replay_id)
        return done()

    def output(self, _request: Request, replay_id: str, endpoint: str) -> Response:
        master, task_id = self._of(replay_id)
        return Response(status=200, body=master.get_output(task_id, endpoint))

    def alerts(self, request: Request, replay_id: str) -> Response:
        """`{"total": 2, "alerts": [..]}`, each as its handlers would be sent it, with its node; as far as it has come."""
        master, task_id = self._of(replay_id)
        told = master.alerts(task_id)
        shown = [_chosen({"alert": each.node, **each.event.body}, request) for each in page(told, request)]
        return Response(status=200, body=dumps({"total": len(told), "alerts": shown}))

    def _of(self, replay_id: str) -> tuple[TaskMaster, str]:
        """Where it ran, and which task; raises NoReplay."""
        master = self._replays.task_master(replay_id)
        if master is None:
            raise NoReplay
        return master, self._replays.show(replay_id).task


def _chosen(alert: dict[str, Any], request: Request) -> dict[str, Any]:
    """All of it, or the `fields` that are asked for; raises Refused."""
    names = request.query.get("fields") or alert
    for name in names:
        if name not in alert:
            raise Refused(f'unsupported field "{name}"')
    return {name: alert[name] for name in names}


def _asked(request: Request) -> tuple[ReplayBody, str]:
    body = read(request.body, ReplayBody)
    return body, checked_id("replay", body.id or "")


def _timing(body: ReplayBody) -> Timing:
    return Timing(clock=body.clock or "fast", recording_time=bool(body.recording_time))


def _whole(replay: Replay, status: int) -> Response:
    told = {name: value() for name, value in _fields(replay).items()}
    return answered(told | {"stats": replay.stats}, status)


def _fields(replay: Replay) -> Mapping[str, Field]:
    """In the order of one that is shown whole, which has its statistics too."""
    return {
        "link": lambda: link("replays", replay.id),
        "id": lambda: replay.id,
        "task": lambda: replay.task,
        "recording": lambda: replay.recording,
        "recording-time": lambda: replay.recording_time,
        "clock": lambda: replay.clock,
        "date": lambda: rfc3339(replay.date_ns),
        "error": lambda: replay.error,
        "status": lambda: replay.status,
        "progress": lambda: replay.progress,
    }
