"""What Kapacitor's own command line sent over a working day, played against the task API, with the engine, recordings and
replays beneath it in memory, and with the real ones.

The recording is a kapacitord 1.5.9's. Times, counters and texts of errors are ours; statuses, names, types and all else are as
recorded. The real ones do not copy that a replay fails because the live task has the same endpoint.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from real_tasks_at_hand import RealTaskServer, real_task_server
from tasks_at_hand import TaskServer, task_server
from waiting import PATIENCE_S, until

EXCHANGES = json.loads((Path(__file__).parents[2] / "recorded_clients/kapacitor.json").read_text())["exchanges"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
BEGAN_S = 1_795_319_280
"""2026-11-22T03:48:00Z, shortly before the first of them."""
PLACE = re.compile(r"line \d+ char \d+")
OURS = {"cmdline", "kapacitor", "memstats", "cluster_id", "server_id", "host"}
"""Names whose values are each server's own."""


def happens_before(index: int, here: TaskServer) -> None:
    """What clients wait for, and the requests that the recording left out as repeated."""
    if index == 11:
        here.recordings.finish("rec1", size_bytes=242)
    elif index == 13:
        here.replays.finish("rep1", status="failed", error="as it failed there")
    elif index == 21:
        assert here.ask("PATCH", "/tasks/cpu_mean", {"status": "enabled"}).told["executing"] is True


def really_happens_before(index: int, here: RealTaskServer) -> None:
    """The same, as it comes about: two hosts write while the task runs and is recorded, and one after that."""
    if index == 11:
        here.write("".join(f"cpu,host={host} usage=50 {BEGAN_S + at}\n" for at in range(3, 15) for host in "ab"))
        assert until(lambda: here.emitted("cpu_mean", "from1") == 24, PATIENCE_S)
        here.write(f"cpu,host=a usage=50 {BEGAN_S + 23}\n")
        assert here.recordings.wait("rec1", PATIENCE_S).status == "finished"
    elif index == 13:
        here.replays.wait("rep1", PATIENCE_S)
    elif index == 21:
        assert here.ask("PATCH", "/tasks/cpu_mean", {"status": "enabled"}).told["executing"] is True


def as_it_would_be(body: Any) -> Any:
    """Had the replay not failed: it finishes, and has counters; a recording has as many bytes as it has here."""
    if isinstance(body, list):
        return [as_it_would_be(each) for each in body]
    if not isinstance(body, dict):
        return body
    body = {name: as_it_would_be(value) for name, value in body.items()}
    if body.get("status") == "failed":
        body |= {"status": "finished"} | ({"error": "", "stats": ANY} if "error" in body else {})
    return body | ({"size": ANY} if body.get("size") else {})


def as_recorded(told: Any, recorded: Any, name: str = "") -> Any:
    """`told`, with the recorded value wherever it need not be the same but of the same kind."""
    if isinstance(told, dict) and isinstance(recorded, dict) and name not in OURS:
        return {key: as_recorded(value, recorded.get(key), key) for key, value in told.items()}
    if isinstance(told, list) and isinstance(recorded, list) and len(told) == len(recorded):
        return [as_recorded(*each, name) for each in zip(told, recorded, strict=True)]
    if isinstance(told, str) and isinstance(recorded, str) and alike(told, recorded, name):
        return recorded
    return recorded if name in OURS and type(told) is type(recorded) else told


def alike(told: str, recorded: str, name: str) -> bool:
    if name == "error" and recorded:
        return PLACE.findall(told) == PLACE.findall(recorded) and bool(told)
    if name == "dot" and "[" in recorded:  # with counters: the same edges
        edges = re.compile(r"(\w+) -> (\w+)")
        return edges.findall(told) == edges.findall(recorded)
    return bool(TIME.fullmatch(told) and TIME.fullmatch(recorded)) and ("0001" in told) == ("0001" in recorded)


def test_the_recorded_requests_are_answered_as_they_were(tmp_path: Path) -> None:
    with task_server(tmp_path) as here:
        for index, exchange in enumerate(EXCHANGES):
            happens_before(index, here)
            request, answer = exchange["request"], exchange["answer"]
            here.clock.sleep(0.25)
            got = here.ask_at(request["method"], request["path"], request.get("body"))
            told = as_recorded(got.told, answer["body"])
            assert (index, got.status, told) == (index, answer["status"], answer["body"]), exchange["command"]
            assert got.headers["content-type"] == "application/json; charset=utf-8"


def test_the_real_engine_recordings_and_replays_answer_as_the_recorded_ones_but_for_a_replay_that_failed(
    tmp_path: Path,
) -> None:
    with real_task_server(tmp_path, began_ns=BEGAN_S * 10**9) as here:
        for index, exchange in enumerate(EXCHANGES):
            really_happens_before(index, here)
            request, answer = exchange["request"], exchange["answer"]
            here.clock.sleep(0.25)
            got = here.ask_at(request["method"], request["path"], request.get("body"))
            told = as_recorded(got.told, answer["body"])
            assert (index, got.status, told) == (index, answer["status"], as_it_would_be(answer["body"]))
            if index == 13:  # the point after the recording's end is not in it
                assert got.told["stats"]["node-stats"]["from1"]["emitted"] == 24


@pytest.mark.parametrize("name", ["id", "status", "dot"])
def test_the_comparison_sees_what_differs(name: str) -> None:
    """Of the answer to the first definition, which is whole."""
    recorded = EXCHANGES[1]["answer"]["body"]
    assert as_recorded(recorded | {name: "other"}, recorded) != recorded
    assert as_recorded({key: value for key, value in recorded.items() if key != name}, recorded) != recorded
