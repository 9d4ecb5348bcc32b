"""Requests that are for another server: it holds the task that they are about, or it is the one that records and replays.

In:      a request that may be answered, and the membership that knows who holds what.
Out:     the other server's response as it came; None where the request is for this server. A request goes on once: who is asked
         by a server answers himself.
Refuses: (Away) a server that does not answer.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

from pipeline_output.state import Server

from pipeline_processing.tasks.api.messages import Request, Response
from pipeline_processing.tasks.errors import Away
from pipeline_processing.tasks.following import RECORDINGS
from pipeline_processing.tasks.membership import Membership

FORWARDED = "x-pipeline-forwarded"
SENT_ON = ("authorization", "content-type", "accept")
KEPT = frozenset({"content-type", "retry-after", "allow", "location"})
OF_RECORDINGS = frozenset({"recordings", "replays", "replay-alerts"})
ANSWER_WITHIN_S = 30.0
Ask: TypeAlias = Callable[[Server, Request], Response]


class Elsewhere:
    def __init__(self, membership: Membership, ask: Ask | None = None) -> None:
        self._membership, self._ask = membership, ask or over_http

    def response(self, request: Request, path: str) -> Response | None:
        """Raises Away."""
        name = self._about(request, path)
        if not name or FORWARDED in request.headers:
            return None
        server = self._membership.owner(name)
        return None if server.id == self._membership.me.id else self._ask(server, _sent_on(request))

    def tasks(self, request: Request, task_ids: Iterable[str]) -> Mapping[str, Any]:
        """What others say to the same request about those of the tasks that they hold; nothing of who does not answer."""
        if FORWARDED in request.headers:
            return {}
        owners = {task_id: self._membership.owner(task_id) for task_id in task_ids}
        others = {each.id: each for each in owners.values() if each.id != self._membership.me.id}
        said = {name: self._listed(server, request) for name, server in others.items()}
        found = {task_id: said.get(owner.id, {}).get(task_id) for task_id, owner in owners.items()}
        return {task_id: told for task_id, told in found.items() if told is not None}

    def _listed(self, server: Server, request: Request) -> Mapping[str, Any]:
        try:
            response = self._ask(server, _sent_on(request))
        except Away:
            return {}
        if response.status != 200:
            return {}
        return {each["id"]: each for each in json.loads(response.body)["tasks"]}

    def _about(self, request: Request, path: str) -> str:
        """The task, or what one server alone does; empty where every server answers the same."""
        kind, _, rest = path.removeprefix("/").partition("/")
        if kind in OF_RECORDINGS:
            return RECORDINGS
        if kind != "tasks":
            return ""
        if not rest:
            return _named(request.body) if request.method == "POST" else ""
        return RECORDINGS if request.first("replay-id") else rest.partition("/")[0]


def over_http(server: Server, request: Request) -> Response:
    """Raises Away."""
    to = urlsplit(server.address)
    kind = http.client.HTTPSConnection if to.scheme == "https" else http.client.HTTPConnection
    query = urlencode([(name, value) for name, values in request.query.items() for value in values])
    try:
        with closing(kind(to.netloc, timeout=ANSWER_WITHIN_S)) as connection:
            target = f"{to.path.rstrip('/')}{quote(request.path)}?{query}"
            connection.request(request.method, target, body=request.body, headers=dict(request.headers))
            answer = connection.getresponse()
            kept = [(name.lower(), value) for name, value in answer.getheaders() if name.lower() in KEPT]
            return Response(status=answer.status, headers=kept, body=answer.read())
    except (OSError, http.client.HTTPException) as cause:
        raise Away(server.address, cause) from cause


def _sent_on(request: Request) -> Request:
    headers = {name: request.headers[name] for name in SENT_ON if name in request.headers}
    return replace(request, headers=headers | {FORWARDED: "once"})


def _named(body: bytes) -> str:
    """The id of a task that is to be made; who reads the body whole says what is wrong with it."""
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    name = told.get("id") if isinstance(told, dict) else ""
    return name if isinstance(name, str) else ""
