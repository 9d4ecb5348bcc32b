"""Tasks as feeds: the list of them, and each that a page is open of, asked for while somebody looks.

In:   looks, and the task API.
Out:  frames {"time_ns", "is_away", "trouble", "tasks": [..]} of the list; and of one task {"task_id", "replay_id", "time_ns",
      "is_away", "trouble", "task", "outputs", "recordings", "replays", "replay", "replay_outputs", "replay_alerts"}: `task` as the
      API shows it, null where there is none; outputs are {endpoint: {"series": [..]} or {"error": ".."}} of its httpOuts; `replay`
      is the one that is looked at, its alerts are {"total", "alerts": [{"time", "level", ..}, ..]}, the first ones, or {"error": ".."}.
An API that does not answer `is_away`, which the pages are told: it is no reason for the display to be unwell.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pipeline_display.errors import TasksAway
from pipeline_display.feeds.feed import Batch
from pipeline_display.feeds.looks import Look, Looks
from pipeline_display.feeds.task_api import Answer, TaskApi, path_of

WAIT_S = 0.5
PATIENCE_S = 3.0
"""For all that is asked of one look; the display is unwell when a feed has been silent for 5 s."""
FIELDS = ("type", "dbrps", "status", "executing", "error", "stats", "modified")
ALERTS: Mapping[str, str | Sequence[str]] = {
    "limit": "100",
    "fields": ["alert", "time", "level", "previousLevel", "id", "message"],
}
"""The first of a replay, without the rows that they are about."""
STRING = r"'(?:[^'\\]|\\.)*'"
ENDPOINT = re.compile(rf"\bhttpOut\(\s*(?P<said>{STRING}|\w+)\s*\)")
VARIABLE = rf"\bvar\s+{{}}\s*=\s*(?P<said>{STRING})"
COMMENT = re.compile(rf"({STRING})|//[^\n]*")

Fetch = Callable[[Look], Mapping[str, Any]]


class LookedAtReader:
    """Frames of what is looked at; one thread uses it."""

    away: tuple[type[Exception], ...] = ()

    def __init__(self, looks: Looks, fetch: Fetch) -> None:
        self._looks, self._fetch = looks, fetch

    def look(self) -> Batch:
        look = self._looks.take(WAIT_S)
        return Batch(bodies=[] if look is None else [msgspec.json.encode(self._fetch(look))])

    def let_go(self) -> None:
        """Nothing is open between looks."""


def task_list(api: TaskApi) -> Fetch:
    """Of all tasks what a list shows."""

    def fetch(_look: Look) -> Mapping[str, Any]:
        told = {"time_ns": time.time_ns(), "is_away": False, "trouble": "", "tasks": []}
        try:
            answer = api.get(f"/tasks?limit=-1&{'&'.join(f'fields={each}' for each in FIELDS)}", within_s=PATIENCE_S)
        except TasksAway as away:
            return told | {"is_away": True, "trouble": str(away)}
        return told | {"trouble": answer.error, "tasks": [] if answer.error else answer.told.get("tasks", [])}

    return fetch


def one_task(api: TaskApi) -> Fetch:
    def fetch(look: Look) -> Mapping[str, Any]:
        told = {
            **{"task_id": look.task, "replay_id": look.replay, "time_ns": time.time_ns()},
            **{"is_away": False, "trouble": "", "task": None},
            **{
                "outputs": {},
                "recordings": [],
                "replays": [],
                "replay": None,
                "replay_outputs": {},
                "replay_alerts": {},
            },
        }
        try:
            _Asking(api, look).fill(told)
        except TasksAway as away:
            told |= {"is_away": True, "trouble": str(away)}
        return told

    return fetch


def endpoints(script: str, variables: Mapping[str, Any]) -> list[str]:
    """The names of a script's httpOuts, each once: said in place, or by a variable that has its value in the script or the task."""
    bare = COMMENT.sub(lambda found: found[1] or "", script)
    named = (_named(found["said"], bare, variables) for found in ENDPOINT.finditer(bare))
    return list(dict.fromkeys(name for name in named if name))


def _named(said: str, script: str, variables: Mapping[str, Any]) -> str:
    if said[0] != "'":
        given = variables.get(said)
        if isinstance(given, dict) and isinstance(given.get("value"), str):
            return given["value"]
        found = re.search(VARIABLE.format(re.escape(said)), script)
        said = found["said"] if found else "''"
    return said[1:-1].replace("\\'", "'")


class _Asking:
    """All that one look wants to know, within one patience."""

    def __init__(self, api: TaskApi, look: Look) -> None:
        self._api, self._look, self._deadline_s = api, look, time.monotonic() + PATIENCE_S

    def fill(self, told: dict[str, Any]) -> None:
        """As far as the API answers: what is known before it does not is in `told`."""
        parameters = {"dot-view": "attributes", "script-format": "raw"}
        found = self._get("tasks", self._look.task, **parameters)
        if found.status == 404:
            return
        if found.error:
            told["trouble"] = found.error
            return
        told["task"] = found.told
        told["recordings"] = self._listed("recordings")
        told["replays"] = [each for each in self._listed("replays") if each.get("task") == self._look.task]
        names = endpoints(found.told.get("script", ""), found.told.get("vars") or {})
        if found.told.get("executing"):
            told["outputs"] = dict(self._outputs(names))
        if self._look.replay:
            replay = self._get("replays", self._look.replay)
            told["replay"] = {"id": self._look.replay, "error": replay.error} if replay.error else replay.told
            told["replay_outputs"] = dict(self._outputs(names, **{"replay-id": self._look.replay}))
            alerts = self._get("replay-alerts", self._look.replay, **ALERTS)
            told["replay_alerts"] = {"error": alerts.error} if alerts.error else alerts.told

    def _outputs(self, names: list[str], **parameters: str) -> Iterator[tuple[str, Any]]:
        for name in names:
            answer = self._get("tasks", self._look.task, name, **parameters)
            yield name, {"error": answer.error} if answer.error else answer.told

    def _listed(self, kind: str) -> list[dict[str, Any]]:
        answer = self._get(kind)
        return [] if answer.error else answer.told.get(kind, [])

    def _get(self, *names: str, **parameters: str | Sequence[str]) -> Answer:
        return self._api.get(path_of(*names), within_s=max(0.05, self._deadline_s - time.monotonic()), **parameters)
