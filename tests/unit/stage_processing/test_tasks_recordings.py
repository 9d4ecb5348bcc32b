"""Recordings and replays over HTTP: what is asked for reaches who does it, and what they say is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tasks_at_hand import CPU, NOW, NOW_NS, TaskServer, task_server

HOUR_NS = 3_600_000_000_000


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TaskServer]:
    with task_server(tmp_path) as server:
        server.define(status="enabled")
        yield server


def test_each_kind_of_recording_is_begun_as_it_was_asked_for(here: TaskServer) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("stream", {"id": "a", "task": "cpu", "stop": "2026-01-01T01:00:00.123456789Z"}),
        ("batch", {"id": "b", "task": "cpu", "start": "2025-12-31T23:00:00.123456789Z"}),
        ("query", {"id": "c", "query": "select", "type": "batch"}),
    ]
    told = [here.ask("POST", f"/recordings/{kind}", body) for kind, body in asked]
    assert [(each.status, each.told["type"], each.told["status"]) for each in told] == [
        (201, kind, "running") for kind in ("stream", "batch", "batch")
    ]
    assert here.recordings.asked == [
        ("a", "cpu", NOW_NS + HOUR_NS),
        ("b", "cpu", NOW_NS - HOUR_NS, NOW_NS),
        ("c", "select", "batch"),
    ]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("recordings/stream", {"task": "cpu"}, 400),
        ("recordings/stream", {"task": "cpu", "stop": "soon"}, 400),
        ("recordings/stream", {"task": "no", "stop": NOW}, 404),
        ("recordings/stream", {"id": "a b", "task": "cpu", "stop": NOW}, 400),
        ("recordings/batch", {"task": "cpu"}, 400),
        ("recordings/query", {"type": "stream"}, 400),
        ("replays", {"task": "no", "recording": "rec"}, 404),
        ("replays", {"task": "cpu", "recording": "no"}, 404),
        ("replays", {"task": "cpu", "recording": "rec", "clock": "slow"}, 400),
        ("replays", {"id": "a b", "task": "cpu", "recording": "rec"}, 400),
        ("replays/batch", {"task": "cpu"}, 400),
        ("replays/query", {"task": "cpu"}, 400),
    ],
)
def test_what_cannot_be_begun_says_why(here: TaskServer, path: str, body: dict[str, Any], status: int) -> None:
    got = here.ask("POST", f"/{path}", body)
    assert (got.status, bool(got.told["error"])) == (status, True)


def test_a_recording_is_202_while_it_runs_and_200_after(here: TaskServer) -> None:
    here.ask("POST", "/recordings/query", {"id": "a", "query": "select"})
    before = here.ask("GET", "/recordings/a")
    here.recordings.finish("a", size_bytes=7, error="disk full", status="failed")
    after = here.ask("GET", "/recordings/a")
    assert (before.status, before.told["progress"], after.status) == (202, 0, 200)
    assert after.told == {
        "link": {"rel": "self", "href": "/kapacitor/v1/recordings/a"},
        "id": "a",
        "type": "stream",
        "size": 7,
        "date": NOW,
        "error": "disk full",
        "status": "failed",
        "progress": 1,
    }


def test_what_is_not_there_is_404_and_deleting_it_is_done(here: TaskServer) -> None:
    for kind in ("recordings", "replays"):
        assert here.ask("GET", f"/{kind}/no").told == {"error": f"no {kind[:-1]} exists"}
        assert (here.ask("GET", f"/{kind}/no").status, here.ask("DELETE", f"/{kind}/no").status) == (404, 204)


def test_an_id_that_is_taken_is_refused(here: TaskServer) -> None:
    first = here.ask("POST", "/recordings/query", {"id": "a", "query": "select"})
    second = here.ask("POST", "/recordings/query", {"id": "a", "query": "select"})
    assert (first.status, second.status, second.told["error"]) == (201, 400, "recording a already exists")


def test_a_replay_can_be_looked_into(here: TaskServer) -> None:
    here.ask("POST", "/recordings/query", {"id": "rec", "query": "select"})
    told = here.ask("POST", "/replays", {"task": "cpu", "recording": "rec"}).told
    assert (told["clock"], told["recording-time"], told["status"], len(told["id"])) == ("fast", False, "running", 36)
    here.ask("PATCH", "/tasks/cpu", {"status": "disabled"})
    here.replays.masters[told["id"]].outputs["cpu", "mean"] = b'{"series":[1]}'
    shown = here.ask("GET", f"/tasks/cpu?replay-id={told['id']}").told
    assert (shown["executing"], here.ask("GET", "/tasks/cpu").told["executing"]) == (True, False)
    assert here.ask("GET", f"/replays/{told['id']}/mean").told == {"series": [1]}
    assert here.ask("GET", f"/tasks/cpu/mean?replay-id={told['id']}").told == {"series": [1]}
    assert here.ask("GET", f"/replays/{told['id']}/no").status == 404


def test_a_replay_of_another_task_is_none_of_this_one(here: TaskServer) -> None:
    here.define("mem", script=CPU.replace("cpu", "mem"))
    here.ask("POST", "/replays/query", {"id": "r", "task": "cpu", "query": "select"})
    got = [here.ask("GET", f"/tasks/mem?replay-id={each}") for each in ("r", "no")]
    assert [each.told["error"] for each in got] == [
        "replay r is not for task: mem",
        "no running replay with ID: no",
    ]
    assert here.ask("GET", "/replays/no/mean").status == 404
