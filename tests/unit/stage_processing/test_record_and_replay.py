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
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_type
from pipeline_queue.points.block import messages
from pipeline_queue.recordings.lines import blocks_of_lines
from pipeline_queue.topics import HEARTBEATS, POINTS

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
        self.broker().create([POINTS, HEARTBEATS])
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

    def beat(self, service: str, *lags: tuple[int, int]) -> None:
        """Heartbeats with a time in s and a lag each."""
        given = {"healthy": True, "stage": "", "doing": "", "latency_s": 0.0}
        given |= dict.fromkeys(("events_in", "events_out", "dead", "late"), 0)
        events = [
            event_type(HEARTBEATS)(
                event_id=f"{service}-{seq}",
                time_ns=time_s * 10**9,
                producer=service,
                seq=seq,
                service=service,
                lag=lag,
                **given,
            )
            for seq, (time_s, lag) in enumerate(lags)
        ]
        self.clock.time_ns = lags[-1][0] * 10**9
        self.broker().publish(HEARTBEATS.name, blocks(HEARTBEATS, events))

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


def test_the_alerts_of_a_replay_are_read_beside_its_outputs_in_the_order_of_their_points(stack: Stack) -> None:
    script = (
        "stream|from().measurement('cpu').groupBy('host')"
        '|alert().id(\'{{ index .Tags "host" }}\').warn(lambda: "usage" > 1).crit(lambda: "usage" > 5).stateChangesOnly()'
    )
    stack.ask("PATCH", "/tasks/cpu", {"script": script})
    stack.ask(
        "POST", "/write?db=d&rp=r&precision=s", "cpu,host=a usage=2 10\ncpu,host=b usage=9 11\ncpu,host=a usage=0 12"
    )
    query = "select * from d.r.cpu"
    stack.ask("POST", "/replays/query", {"id": "rep", "task": "cpu", "query": query, "recording-time": True})
    stack.replays.wait("rep", PATIENCE_S)
    status, told = stack.ask("GET", "/replay-alerts/rep")
    found = [(each["alert"], each["id"], each["level"], each["previousLevel"], each["time"]) for each in told["alerts"]]
    assert (status, told["total"]) == (200, 3)
    assert found == [
        ("alert2", "a", "WARNING", "OK", "1970-01-01T00:00:10Z"),
        ("alert2", "b", "CRITICAL", "OK", "1970-01-01T00:00:11Z"),
        ("alert2", "a", "OK", "WARNING", "1970-01-01T00:00:12Z"),
    ]
    series = {"name": "cpu", "tags": {"host": "b"}, "columns": ["time", "usage"]}
    assert told["alerts"][1]["data"] == {"series": [series | {"values": [["1970-01-01T00:00:11Z", 9]]}]}
    part = stack.ask("GET", "/replay-alerts/rep?offset=1&limit=1&fields=id&fields=level")
    assert part == (200, {"total": 3, "alerts": [{"id": "b", "level": "CRITICAL"}]})
    assert [stack.ask("GET", f"/replay-alerts/{each}")[0] for each in ("rep?fields=no", "no")] == [400, 404]


def test_a_task_over_a_topic_of_the_queue_is_recorded_and_replayed(stack: Stack) -> None:
    script = "stream|from().measurement('heartbeats').groupBy('service')|sum('lag')|httpOut('lag')"
    reads = [{"db": "pipeline", "rp": "heartbeats"}]
    stack.ask("POST", "/tasks", {"id": "lag", "type": "stream", "script": script, "dbrps": reads})
    stack.ask("POST", "/recordings/stream", RECORD | {"task": "lag"})
    stack.beat("a", (110, 4), (110, 9), (111, 1))
    stack.beat("b", (110, 2), (111, 1), (181, 0))
    assert stack.recordings.wait("rec", PATIENCE_S).status == "finished"
    stack.ask("POST", "/replays", {"id": "rep", "task": "lag", "recording": "rec", "recording-time": True})
    stack.replays.wait("rep", PATIENCE_S)
    found = stack.ask("GET", "/replays/rep/lag")[1]["series"]
    assert [(each["tags"], each["values"]) for each in found] == [
        ({"service": "a"}, [["1970-01-01T00:01:50Z", 13]]),
        ({"service": "b"}, [["1970-01-01T00:01:50Z", 2]]),
    ]


def test_a_query_is_replayed_without_a_recording(stack: Stack) -> None:
    stack.ask("POST", "/write?db=d&rp=r&precision=s", "cpu,host=a usage=1 10\ncpu,host=a usage=2 20\nmem v=1 15")
    query = "select * from d.r.cpu where time > 10000000000"
    assert stack.ask("POST", "/replays/query", {"id": "rep", "task": "cpu", "query": query})[0] == 201
    stack.replays.wait("rep", PATIENCE_S)
    assert stack.ask("GET", "/replays/rep")[1]["stats"]["node-stats"]["from1"]["collected"] == 1


def test_a_file_that_is_no_recording_is_refused_and_nothing_is_begun(stack: Stack) -> None:
    status, told = stack.ask("POST", "/recordings/import?id=r", "nothing")
    assert (status, told["error"].startswith("invalid recording: it cannot be read")) == (400, True)
    assert stack.ask("POST", "/recordings/import?id=a%20b", "nothing")[0] == 400
    assert stack.ask("GET", "/recordings")[1] == {"recordings": []}


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
