"""The task API as commands ask it.

Out:     what the API answers, read as JSON.
Refuses: (TaskRefused) what the API refuses, in its words; (TaskApiAway) an API that does not answer.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlencode

from pipeline_queue.settings import filled

from pipeline_cli.errors import TaskApiAway, TaskRefused
from pipeline_cli.where import CommandSettings

PATIENCE_S = 60.0
PAGE = 100


class TaskApi:
    def __init__(self, url: str | None = None) -> None:
        """At TASKS_URL unless `url` says otherwise."""
        settings: CommandSettings = filled(CommandSettings)
        self.url = (url or settings.tasks_url).rstrip("/")
        self._token = settings.tasks_token.get_secret_value() if settings.tasks_token else None

    def find(self, task_id: str, **parameters: str) -> dict[str, Any] | None:
        """One task, None where there is none."""
        status, told = self._ask("GET", f"/tasks/{quote(task_id)}?{urlencode(parameters)}")
        return None if status == 404 else _sound(status, told)

    def show(self, task_id: str, **parameters: str) -> dict[str, Any]:
        found = self.find(task_id, **parameters)
        if found is None:
            raise TaskRefused(f"no task is called `{task_id}`; `pipeline task list` says which there are")
        return found

    def create(self, definition: dict[str, Any]) -> dict[str, Any]:
        return _sound(*self._ask("POST", "/tasks", definition))

    def patch(self, task_id: str, change: dict[str, Any]) -> dict[str, Any]:
        return _sound(*self._ask("PATCH", f"/tasks/{quote(task_id)}", change))

    def delete(self, task_id: str) -> None:
        _sound(*self._ask("DELETE", f"/tasks/{quote(task_id)}"))

    def begin(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        """A recording or a replay; `kind` is `recordings/stream`, `replays`, .."""
        return _sound(*self._ask("POST", f"/{kind}", asked))

    def bring(self, recording_id: str | None, file: bytes) -> dict[str, Any]:
        """A recording, as its file."""
        named = f"?{urlencode({'id': recording_id})}" if recording_id else ""
        return _sound(*self._ask("POST", f"/recordings/import{named}", file))

    def stands(self, kind: str, name: str) -> dict[str, Any]:
        """How a recording or a replay stands, also where it failed; `kind` is `recordings` or `replays`."""
        return _sound(*self._ask("GET", f"/{kind}/{quote(name)}"))

    def remove(self, kind: str, name: str) -> None:
        _sound(*self._ask("DELETE", f"/{kind}/{quote(name)}"))

    def output(self, replay_id: str, endpoint: str) -> dict[str, Any]:
        """What an httpOut held at a replay's end."""
        return _sound(*self._ask("GET", f"/replays/{quote(replay_id)}/{quote(endpoint)}"))

    def alerts(self, replay_id: str) -> Iterator[dict[str, Any]]:
        """What a replay's alert nodes told, page by page."""
        total, offset = 1, 0
        while offset < total:
            asked = urlencode({"offset": offset, "limit": PAGE})
            found = _sound(*self._ask("GET", f"/replay-alerts/{quote(replay_id)}?{asked}"))
            yield from found["alerts"]
            total, offset = found["total"], offset + PAGE

    def deliveries(self) -> dict[str, Any]:
        """What became of alerts."""
        return _sound(*self._ask("GET", "/deliveries"))

    def every(
        self, pattern: str, fields: tuple[str, ...] = ("link",), *, kind: str = "tasks"
    ) -> Iterator[dict[str, Any]]:
        """All that match, page by page."""
        offset = 0
        while True:
            asked = [("pattern", pattern), ("offset", offset), ("limit", PAGE), *(("fields", each) for each in fields)]
            found = _sound(*self._ask("GET", f"/{kind}?{urlencode(asked)}"))[kind]
            yield from found
            if len(found) < PAGE:
                return
            offset += PAGE

    def _ask(self, method: str, path: str, body: dict[str, Any] | bytes | None = None) -> tuple[int, Any]:
        """Bytes are sent as they are."""
        is_file = isinstance(body, bytes)
        headers = {"Content-Type": "application/octet-stream" if is_file else "application/json"} | (
            {"Authorization": f"Bearer {self._token}"} if self._token else {}
        )
        data = body if body is None or is_file else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.url}/kapacitor/v1{path}", data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
                return answer.status, _read(answer.read())
        except urllib.error.HTTPError as refusal:
            return refusal.code, _read(refusal.read())
        except urllib.error.URLError as cause:
            raise TaskApiAway(self.url, cause=cause.reason) from None
        except (OSError, HTTPException) as cause:
            raise TaskApiAway(self.url, cause=cause) from None


def _read(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except ValueError:
        return {"error": f"what answers there is no task API: {body[:80]!r}"}


def _sound(status: int, told: Any) -> Any:
    if status >= 300 or (told.get("error") and "id" not in told):
        raise TaskRefused(told.get("error") or f"the task API answered {status}")
    return told
