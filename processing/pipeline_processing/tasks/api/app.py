"""Requests find what answers them.

In:      a request; any thread may bring one.
Out:     a response, always. What is wrong with the request is 4xx and says what; a store that is away is 503; a defect of ours
         is 500 and in the log. What another server holds is answered by it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from pipeline_output.errors import StoreUnavailable
from pipeline_output.handlers.outcomes import Outcomes
from pipeline_queue.clock import Clock
from pipeline_queue.errors import QueueError

from pipeline_processing.errors import ProcessingError
from pipeline_processing.tasks.api.access import Access
from pipeline_processing.tasks.api.deliveries import show_deliveries
from pipeline_processing.tasks.api.elsewhere import Elsewhere
from pipeline_processing.tasks.api.log_level import set_level
from pipeline_processing.tasks.api.messages import BASE, VERSION, Header, Request, Response, done, failed
from pipeline_processing.tasks.api.recordings import RecordingDoors
from pipeline_processing.tasks.api.replays import ReplayDoors
from pipeline_processing.tasks.api.statistics import Statistics
from pipeline_processing.tasks.api.tasks import Tasks
from pipeline_processing.tasks.errors import Away, TaskError
from pipeline_processing.tasks.recordings import Recordings
from pipeline_processing.tasks.registry import TaskRegistry
from pipeline_processing.tasks.replays import Replays

Handler: TypeAlias = Callable[..., Response]
Methods: TypeAlias = Mapping[str, Handler]
Door: TypeAlias = Callable[[bytes, Mapping[str, str], Mapping[str, str]], tuple[int, list[Header], bytes]]
"""Takes points: (body, query, headers) to (status, headers, body)."""
BARE = ("/ping", "/write", "/debug/vars")
"""What is there without the version before it, too."""
ELSEWHERE = ("config", "templates", "alerts", "service-tests", "storage", "users", "subscriptions", "sideload", "logs")
VERSION_HEADER = ("x-kapacitor-version", VERSION)
PING: Methods = dict.fromkeys(("GET", "HEAD", "OPTIONS"), done)
RETRY_LATER = ("retry-after", "1")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What requests are about."""

    registry: TaskRegistry
    recordings: Recordings
    replays: Replays
    statistics: Statistics
    outcomes: Outcomes
    door: Door
    clock: Clock
    elsewhere: Elsewhere | None = None
    """None where there are no other servers."""


class App:
    def __init__(self, parts: Parts, access: Access) -> None:
        self._access, self._door, self._elsewhere = access, parts.door, parts.elsewhere
        tasks = Tasks(parts.registry, parts.replays, parts.clock, parts.elsewhere)
        recordings = RecordingDoors(parts.registry, parts.recordings, parts.clock)
        replays = ReplayDoors(parts.registry, parts.replays, parts.clock)
        self._fixed: Mapping[str, Methods] = {
            "/write": {"POST": self._write},
            "/debug/vars": {"GET": parts.statistics.show},
            "/deliveries": {"GET": partial(show_deliveries, parts.outcomes)},
            "/loglevel": {"POST": set_level},
            "/tasks": {"GET": tasks.list, "POST": tasks.create},
            "/recordings": {"GET": recordings.list},
            "/recordings/stream": {"POST": recordings.create_stream},
            "/recordings/batch": {"POST": recordings.create_batch},
            "/recordings/query": {"POST": recordings.create_query},
            "/recordings/import": {"POST": recordings.create_import},
            "/replays": {"GET": replays.list, "POST": replays.create},
            "/replays/batch": {"POST": replays.create_batch},
            "/replays/query": {"POST": replays.create_query},
        }
        self._of_one: Mapping[str, Methods] = {
            "tasks": {"GET": tasks.show, "PATCH": tasks.patch, "DELETE": tasks.delete},
            "recordings": {"GET": recordings.show, "DELETE": recordings.delete},
            "replays": {"GET": replays.show, "DELETE": replays.delete},
            "replay-alerts": {"GET": replays.alerts},
        }
        self._outputs: Mapping[str, Methods] = {"tasks": {"GET": tasks.output}, "replays": {"GET": replays.output}}

    def answer(self, request: Request) -> Response:
        response = self._answer(request)
        return Response(status=response.status, headers=(*response.headers, VERSION_HEADER), body=response.body)

    def _answer(self, request: Request) -> Response:
        try:
            return self._routed(request)
        except Away as error:
            return failed(error.status, error, RETRY_LATER)
        except TaskError as error:
            return failed(error.status, error)
        except ProcessingError as error:
            return failed(500, error)
        except (StoreUnavailable, QueueError) as error:
            return failed(503, error, RETRY_LATER)
        except Exception:
            log.exception("%s %s met a defect", request.method, request.path)
            return failed(500, "this server met a defect of its own; its log says more")

    def _routed(self, request: Request) -> Response:
        path = request.path.removeprefix(BASE)
        if path == request.path and path not in BARE:
            return _nothing_at(request)
        if path == "/ping":  # who asks whether somebody is there need not say who he is
            return done() if request.method in PING else _wrong_method(PING)
        refusal = self._access.refusal(request)
        return refusal or self._found(request, path)

    def _found(self, request: Request, path: str) -> Response:
        methods, names = self._methods(path)
        if not methods:
            return _nothing_at(request)
        if request.method == "OPTIONS":
            return Response(status=204, headers=(("allow", _allowed(methods)),))
        if request.method not in methods:
            return _wrong_method(methods)
        forwarded = self._elsewhere.response(request, path) if self._elsewhere else None
        return forwarded or methods[request.method](request, *names)

    def _methods(self, path: str) -> tuple[Methods, list[str]]:
        """What may be done at a path, and the names that the path holds."""
        if path in self._fixed:
            return self._fixed[path], []
        kind, *names = path.removeprefix("/").split("/", 2)
        of = {1: self._of_one, 2: self._outputs}.get(len(names), {})
        return (of.get(kind, {}) if all(names) else {}), names

    def _write(self, request: Request) -> Response:
        query = {name: values[0] for name, values in request.query.items() if values}
        status, headers, body = self._door(request.body, query, request.headers)
        return Response(status=status, headers=tuple(headers), body=body)


def _nothing_at(request: Request) -> Response:
    first = request.path.removeprefix(BASE).strip("/").partition("/")[0]
    if first in ELSEWHERE:
        return failed(404, f"nothing is at {request.path}: Kapacitor's /{first} is no part of this server")
    return failed(
        404, f"nothing is at {request.path}; there are /ping, /write, {BASE}/tasks, recordings, replays, replay-alerts"
    )


def _wrong_method(methods: Methods) -> Response:
    return failed(405, f"only {_allowed(methods)} is allowed here", ("allow", _allowed(methods)))


def _allowed(methods: Methods) -> str:
    return ", ".join(sorted({*methods, "OPTIONS"}))
