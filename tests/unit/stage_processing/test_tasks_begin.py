"""Where a task begins to read, as the API is asked and as the registry keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pipeline_processing.tasks.changes import Change, NewTask
from tasks_at_hand import CPU, NOW_NS, TaskServer, task_server

DBRPS = (("telegraf", "autogen"),)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TaskServer]:
    with task_server(tmp_path) as server:
        yield server


@pytest.mark.parametrize(
    ("written", "began"),
    [("-1h30m", "2025-12-31T22:30:00.123456789Z"), ("2025-12-31T10:00:00+01:00", "2025-12-31T09:00:00Z")],
)
def test_a_task_is_enabled_from_a_time_in_the_past(here: TaskServer, written: str, began: str) -> None:
    here.define()
    assert "from" not in here.ask("GET", "/tasks/cpu").told
    told = here.ask("PATCH", "/tasks/cpu", {"status": "enabled", "from": written}).told
    assert (told["executing"], told["from"]) == (True, began)
    assert here.define("mem", status="enabled", **{"from": written}).told["from"] == began


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"status": "enabled", "from": "2026-01-01T00:00:01Z"}, "`from` is in the future"),
        ({"status": "enabled", "from": "-1x"}, 'invalid from: "-1x" is no duration'),
        ({"status": "enabled", "from": "1h"}, 'invalid from: "1h" is no time of RFC 3339'),
        ({"from": "-1h"}, "a task that is enabled begins"),
        ({"status": "disabled", "from": "-1h"}, "a task that is enabled begins"),
    ],
)
def test_a_begin_that_is_none_is_refused(here: TaskServer, said: dict[str, str], reason: str) -> None:
    here.define()
    got = here.ask("PATCH", "/tasks/cpu", said)
    assert (got.status, reason in got.told["error"], here.master.running) == (400, True, {})


def test_a_begin_in_the_past_is_a_version_of_its_own_until_the_meaning_changes(here: TaskServer) -> None:
    here.registry.create(NewTask(id="a", script=CPU, dbrps=DBRPS, status="enabled"))
    for _ in range(2):
        here.registry.patch("a", Change(status="enabled", from_ns=NOW_NS - 5))
        here.clock.sleep(1)
    here.registry.patch("a", Change(status="disabled"))
    here.registry.patch("a", Change(status="enabled"))
    assert here.registry.compiled("a").from_ns == NOW_NS - 5
    here.registry.patch("a", Change(script=CPU.replace("mean", "other")))
    assert here.registry.compiled("a").from_ns is None
    first, second, third, again, fourth = [version for _, version in here.master.started]
    assert first < second < third == again < fourth
