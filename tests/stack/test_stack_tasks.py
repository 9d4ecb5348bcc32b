"""Tasks in Compose: defined by API and command, killed from the host while a window is open, restarted while an alert is.

Points that make a window come before the kill and the one that closes it after; the alert comes before the restart and its
recovery after. So both are there only if what was acknowledged, and what tasks remember, outlive the container's processes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pages
import pytest
from pipeline_queue.codec import decode
from pipeline_queue.topics import ALERTS
from running_demo import free_port
from running_stack import Stack
from stack_reading import records
from waiting import PATIENCE_S, until

pytestmark = pytest.mark.engine

MEAN = """stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |window()
        .period(10s)
        .every(10s)
    |mean('usage')
        .as('usage')
    |httpOut('usage')
    |alert()
        .crit(lambda: "usage" > 90.0)
        .stateChangesOnly()
        .log('/data/alerts/logs/cpu.log')
"""
NEWEST = "stream\n    |from()\n        .measurement('cpu')\n    |httpOut('newest')\n"
LOG = "import pathlib\nfor path in pathlib.Path('/data/alerts/logs').glob('cpu.log'): print(path.read_text())"
LEVEL = "document.querySelector('#states tr[data-alert=\"cpu:host=a\"]')?.dataset.level"


@dataclass(frozen=True)
class TaskApi:
    """The API as somebody on this machine reaches it."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        asked = urllib.request.Request(f"{self.url}{path}", body, method=method)
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            told = answer.read()
        return json.loads(told) if told else None

    def define(self, task_id: str, script: str) -> None:
        task = {"id": task_id, "type": "stream", "dbrps": [{"db": "telegraf", "rp": "autogen"}], "script": script}
        self.ask("POST", "/kapacitor/v1/tasks", json.dumps(task | {"status": "enabled"}).encode())

    def write(self, *readings: tuple[float, int]) -> None:
        """Of the host `a`: usage, and seconds since 1970."""
        lines = "\n".join(f"cpu,host=a usage={usage} {time_s}" for usage, time_s in readings)
        self.ask("POST", "/write?db=telegraf&rp=autogen&precision=s", lines.encode())

    def running(self) -> list[str]:
        told = self.ask("GET", "/kapacitor/v1/tasks?fields=executing")["tasks"]
        return [each["id"] for each in told if each["executing"]]

    def has_read(self, points: int) -> bool:
        """Whether the task `cpu` has taken so many since it was started."""
        return self.ask("GET", "/kapacitor/v1/tasks/cpu")["stats"]["node-stats"]["from1"]["collected"] >= points

    def means(self) -> list[list[Any]]:
        return [row for each in self.ask("GET", "/kapacitor/v1/tasks/cpu/usage")["series"] for row in each["values"]]


@dataclass(frozen=True, kw_only=True)
class Story:
    """What was seen at its stations."""

    killed: list[str]
    """The tasks that ran after the kill; so `restarted`."""
    mean: list[list[Any]]
    shown: list[str]
    restarted: list[str]
    recorded: list[tuple[str, str, str]]
    logged: set[tuple[str, str]]


@pytest.fixture(scope="module")
def api(stack: Stack) -> Iterator[TaskApi]:
    port = free_port()
    stack.command("build", "--quiet", "tasks")
    stack.command("up", "--detach", "--wait", "tasks", TASKS_PORT=str(port))
    yield TaskApi(port)
    stack.command("rm", "--force", "--stop", "tasks")


@pytest.fixture(scope="module")
def story(stack: Stack, api: TaskApi, tmp_path_factory: pytest.TempPathFactory) -> Story:
    api.define("cpu", MEAN)
    define_by_command(api, "newest", NEWEST, tmp_path_factory.mktemp("scripts"))
    api.write((95.0, 1000), (97.0, 1005))
    assert until(lambda: api.has_read(2), PATIENCE_S)
    stack.kill("tasks")
    killed = api.running()
    api.write((20.0, 1010))
    until(lambda: bool(api.means()), PATIENCE_S)
    mean = api.means()
    shown = [level_shown(stack, "CRITICAL")]
    stack.command("restart", "tasks")
    stack.command("up", "--detach", "--wait", "tasks", TASKS_PORT=str(api.port))
    restarted = api.running()
    api.write((30.0, 1020))
    shown.append(level_shown(stack, "OK"))
    until(lambda: len(logged(stack)) == 2, PATIENCE_S)
    return Story(
        killed=killed,
        mean=mean,
        shown=shown,
        restarted=restarted,
        recorded=recorded(stack),
        logged=logged(stack),
    )


def define_by_command(api: TaskApi, task_id: str, script: str, folder: Path) -> None:
    """As people do who have the command on their machine."""
    file = folder / f"{task_id}.tick"
    file.write_text(script)
    for words in (["define", task_id, "--tick", str(file), "--dbrp", "telegraf.autogen"], ["enable", task_id]):
        subprocess.run([sys.executable, "-m", "pipeline_cli", "task", *words, "--url", api.url], check=True)


def level_shown(stack: Stack, expected: str) -> str:
    """Of the alert, on the page of alerts; after a while if it is not the expected one."""
    with pages.visit(f"{stack.page}/alerts") as visit:
        until(lambda: visit.page.evaluate(LEVEL) == expected, PATIENCE_S)
        visit.keep(f"compose-alerts-{expected}")
        return visit.page.evaluate(LEVEL)


def recorded(stack: Stack) -> list[tuple[str, str, str]]:
    events = [event for record in records(stack, ALERTS.name) for event in decode(ALERTS, record).events]
    return [(event.alert_id, event.previous_level, event.level) for event in events if event.task == "cpu"]


def logged(stack: Stack) -> set[tuple[str, str]]:
    """What the handler was told, once or more often."""
    told = [json.loads(line) for line in stack.python("tasks", LOG).splitlines() if line]
    return {(each["previousLevel"], each["level"]) for each in told}


def test_tasks_run_on_after_a_kill_and_after_a_restart(story: Story) -> None:
    assert (story.killed, story.restarted) == (["cpu", "newest"], ["cpu", "newest"])


def test_a_window_that_was_open_at_the_kill_has_its_points(story: Story) -> None:
    assert story.mean == [["1970-01-01T00:16:50Z", 96]]


def test_the_page_shows_the_alert_and_after_the_restart_its_recovery(story: Story) -> None:
    assert story.shown == ["CRITICAL", "OK"]


def test_alerts_are_recorded_once_and_their_handler_is_told_of_each(story: Story) -> None:
    assert story.recorded == [("cpu:host=a", "OK", "CRITICAL"), ("cpu:host=a", "CRITICAL", "OK")]
    assert story.logged == {("OK", "CRITICAL"), ("CRITICAL", "OK")}
