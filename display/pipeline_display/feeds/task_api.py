"""The task API as the display asks it.

In:      a method, a path below `/kapacitor/v1`, and what is sent as JSON.
Out:     the status and what the answer says; what is refused is an answer too.
Refuses: (TasksAway) an API that does not answer, that answers with something else than JSON, or with more than can be shown.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from pipeline_display.errors import TasksAway

BASE = "/kapacitor/v1"
ANSWER_BYTES_MAX = 1024 * 1024
"""A page holds four messages; a task's description with its script and graph has a few KiB."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`told` is what the JSON says, {} without any; `error` is why not, empty for what went well."""

    status: int
    told: Any

    @property
    def error(self) -> str:
        if self.status < 400:
            return ""
        said = self.told.get("error", "") if isinstance(self.told, dict) else ""
        return said or f"the task API answered {self.status} and did not say why"


class TaskApi:
    """Any thread may ask."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def get(self, path: str, *, within_s: float, **parameters: str | Sequence[str]) -> Answer:
        """Raises TasksAway."""
        query = f"?{urlencode(parameters, doseq=True)}" if parameters else ""
        return self._answer(urllib.request.Request(self._address(path) + query, headers=self._headers), within_s)

    def send(self, method: str, path: str, body: Any, *, within_s: float) -> Answer:
        """Raises TasksAway; whether it was done is not known then."""
        sent = None if body is None else msgspec.json.encode(body)
        asked = urllib.request.Request(self._address(path), sent, self._headers, method=method)
        return self._answer(asked, within_s)

    def _address(self, path: str) -> str:
        return f"{self.url}{BASE}{path}"

    def _answer(self, asked: urllib.request.Request, within_s: float) -> Answer:
        try:
            with urllib.request.urlopen(asked, timeout=within_s) as answer:
                return Answer(answer.status, self._read(answer))
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, self._read(refusal))
        except (OSError, http.client.HTTPException) as error:
            raise TasksAway(self.url, cause=_reason(error)) from error

    def _read(self, answer: Any) -> Any:
        body = answer.read(ANSWER_BYTES_MAX + 1)
        if len(body) > ANSWER_BYTES_MAX:
            raise TasksAway(self.url, cause=f"it says than {ANSWER_BYTES_MAX:,} bytes")
        try:
            return msgspec.json.decode(body) if body.strip() else {}
        except msgspec.DecodeError as error:
            raise TasksAway(self.url, cause=f"the answer is no JSON: {error}") from error


def path_of(*names: str) -> str:
    """`/tasks/cpu`, whatever the names hold."""
    return "".join(f"/{quote(name, safe='')}" for name in names)


def _reason(error: Exception) -> str:
    return str(error.reason if isinstance(error, urllib.error.URLError) else error) or type(error).__name__
