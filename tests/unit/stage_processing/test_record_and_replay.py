"""Recorded and replayed over the task API, with the real engine, recordings and replays beneath it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pipeline_output.handlers.outcomes import NONE, Outcomes
from pipeline_output.state import open_definitions
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.tasks.api.access import Access
from pipeline_processing.tasks.api.app import App, Parts
from pipeline_processing.tasks.api.messages import Request
from pipeline_processing.tasks.api.statistics import Statistics
from pipeline_processing.tasks.kept_recordings import KeptRecordings
from pipeline_processing.tasks.kept_replays import KeptReplays
from pipeline_processing.tasks.own_figures import Identity, OwnFigures
from pipeline_processing.tasks.registry import TaskRegistry
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.clock import ManualClock
from pipeline_queue.points.block import messages
from pipeline_queue.recordings.lines import blocks_of_lines
from pipeline_queue.topics import POINTS

PATIENCE_S = 30.0
RECORD = {"id": "rec", "task": "cpu", "stop": "1970-01-01T00:03:00Z"}
SCRIPT = (
    "stream|from().measurement('cpu').groupBy('host')|window().period(10s).every(10s)|mean('usage')|httpOut('mean')"
)


@dataclass
class Stack:
    folder: Path
    log: MemoryLog = field(default_factory=MemoryLog)
    clock: ManualClock = field(default_factory=lambda: ManualClock(100 * 10**9))

    def __post_init__(self) -> None:
        self.broker().create([POINTS])
        self.store = open_definitions(f"sqlite://{self.folder}/state")
        self.master = TaskMaster()
        self.recordings = KeptRecordings(self.folder / "recordings", self.broker, self.clock)
        self.replays = KeptReplays(self.recordings, self.master, self.clock)
        registry = TaskRegistry(self.store, self.master, self.clock)
        identity = Identity(host="here", server_id="server", cluster_id="cluster")
        parts = Parts(
            registry=registry,
            recordings=self.recordings,
            replays=self.replays,
            statistics=Statistics(OwnFigures(registry, identity, dict, lambda: NONE)),
            outcomes=Outcomes(Path("nothing was delivered")),
            door=self._write,
            clock=self.clock,
        )
        self.app = App(parts, Access(None))

    def broker(self) -> MemoryBroker:
        return MemoryBroker(self.log, clock=self.clock)

    def _write(self, body: bytes, query: Any, _headers: Any) -> tuple[int, list[tuple[str, str]], bytes]:
        (block,) = blocks_of_lines(body.decode(), (query["db"], query["rp"]), query["precision"])
        self.broker().publish("points", list(messages(block.origin, block.batch)))
        return 204, [], b""

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        parts = urlsplit(path)
        sent = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
        request = Request(
            method=method, path=f"/kapacitor/v1{parts.path}", query=parse_qs(parts.query), headers={}, body=sent
        )
        answer = self.app.answer(request)
        return answer.status, json.loads(answer.body) if answer.body else None

    def close(self) -> None:
        self.replays.close()
        self.recordings.close()
        self.master.close()
        self.store.close()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with closing(Stack(tmp_path)) as here:
        here.ask("POST", "/tasks", {"id": "cpu", "type": "stream", "script": SCRIPT, "dbrps": [{"db": "d", "rp": "r"}]})
        yield here


def test_what_was_written_is_recorded_and_replayed_and_its_result_read(stack: Stack) -> None:
    status, told = stack.ask("POST", "/recordings/stream", RECORD)
    assert (status, told["status"]) == (201, "running")
    lines = "\n".join(
        f"cpu,host={host} usage={value} {time}" for time, value in ((110, 1), (115, 3), (121, 9)) for host in "ab"
    )
    assert stack.ask("POST", "/write?db=d&rp=r&precision=s", lines)[0] == 204
    assert stack.ask("POST", "/write?db=d&rp=r&precision=s", "cpu,host=a usage=0 181")[0] == 204
    stack.recordings.wait("rec", PATIENCE_S)
    status, told = stack.ask("GET", "/recordings/rec")
    assert (status, told["status"], told["progress"], told["size"] > 0) == (200, "finished", 1, True)

    body = {"id": "rep", "task": "cpu", "recording": "rec", "recording-time": True}
    assert stack.ask("POST", "/replays", body)[0] == 201
    stack.replays.wait("rep", PATIENCE_S)
    status, told = stack.ask("GET", "/replays/rep")
    assert (status, told["status"], told["error"], told["stats"]["node-stats"]["from1"]["emitted"]) == (
        200,
        "finished",
        "",
        6,
    )
    assert stack.ask("GET", "/replays/rep/mean")[1] == {
        "series": [
            {
                "name": "cpu",
                "tags": {"host": host},
                "columns": ["time", "mean"],
                "values": [["1970-01-01T00:02:00Z", 2]],
            }
            for host in "ab"
        ]
    }


def test_a_query_is_replayed_without_a_recording(stack: Stack) -> None:
    stack.ask("POST", "/write?db=d&rp=r&precision=s", "cpu,host=a usage=1 10\ncpu,host=a usage=2 20\nmem v=1 15")
    query = "select * from d.r.cpu where time > 10000000000"
    assert stack.ask("POST", "/replays/query", {"id": "rep", "task": "cpu", "query": query})[0] == 201
    stack.replays.wait("rep", PATIENCE_S)
    assert stack.ask("GET", "/replays/rep")[1]["stats"]["node-stats"]["from1"]["collected"] == 1


def test_what_is_not_known_here_is_refused_over_http_too(stack: Stack) -> None:
    batch = {"task": "cpu", "start": "1970-01-01T00:00:00Z"}
    asked = [
        stack.ask("POST", "/recordings/batch", batch),
        stack.ask("POST", "/replays/batch", batch),
        stack.ask("POST", "/recordings/query", {"query": "show databases"}),
        stack.ask("POST", "/replays", {"task": "cpu", "recording": "no"}),
    ]
    assert [status for status, _ in asked] == [400, 400, 400, 404]
    assert all(told["error"] for _, told in asked)
