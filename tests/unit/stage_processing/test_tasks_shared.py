"""Several servers over one store, in memory: which of them runs a task, and that each answers for all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from memory_tasks import MemoryRecordings, MemoryReplays, MemoryTaskMaster
from pipeline_output.handlers.outcomes import NONE, Outcomes
from pipeline_output.state import Server, open_definitions, open_leases
from pipeline_processing.tasks.api.access import Access
from pipeline_processing.tasks.api.app import App, Parts
from pipeline_processing.tasks.api.elsewhere import Elsewhere
from pipeline_processing.tasks.api.messages import Request, Response
from pipeline_processing.tasks.api.statistics import Statistics
from pipeline_processing.tasks.changes import NewTask, defined
from pipeline_processing.tasks.errors import Away
from pipeline_processing.tasks.following import Beats, Follower
from pipeline_processing.tasks.membership import Membership
from pipeline_processing.tasks.own_figures import Identity, OwnFigures
from pipeline_processing.tasks.registry import TaskRegistry
from pipeline_queue.clock import ManualClock
from waiting import PATIENCE_S

SCRIPT = "stream\n    |from()\n        .measurement('cpu')\n    |httpOut('mean')\n"
IDS = tuple(f"task{number}" for number in range(12))
BEAT_S = 2.0


@dataclass
class Network:
    """Requests from server to server; one that is cut off does not answer."""

    apps: dict[str, App] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def ask(self, server: Server, request: Request) -> Response:
        self.asked.append((server.address, request.method, request.path))
        if server.address not in self.apps:
            raise Away(server.address, "refused")
        return self.apps[server.address].answer(request)


class Node:
    """One server, whose beats and clock are turned by hand."""

    def __init__(self, name: str, state_url: str, network: Network) -> None:
        self.name, self.now_s, self._network = name, 0.0, network
        self.leases, self.store = open_leases(state_url), open_definitions(state_url)
        server = Server(id="", place=name, address=f"http://{name}")
        self.member = Membership(self.leases, server, lease_s=5 * BEAT_S, now_s=lambda: self.now_s)
        self.member.join()
        self.master, clock = MemoryTaskMaster(), ManualClock(1)
        self.recordings = MemoryRecordings(clock)
        self.replays = MemoryReplays(clock, self.recordings)
        self.registry = TaskRegistry(self.store, self.master, clock, self.member)
        self._follower = Follower(Beats(self.member), self.member, self.registry, self.replays, self.recordings)
        figures = OwnFigures(self.registry, Identity(host="", server_id="", cluster_id=""), dict, lambda: NONE)
        parts = Parts(
            registry=self.registry,
            recordings=self.recordings,
            replays=self.replays,
            statistics=Statistics(figures),
            outcomes=Outcomes(Path("nothing was delivered")),
            door=lambda *_: (204, [], b""),
            clock=clock,
            elsewhere=Elsewhere(self.member, network.ask),
        )
        network.apps[server.address] = App(parts, Access(None))
        self._follower.follow()

    def beat(self) -> None:
        self.now_s += BEAT_S
        self.member.renew()
        self._follower.follow()

    def cut_off(self) -> None:
        self._network.apps.pop(f"http://{self.name}")

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        parts = urlsplit(path)
        request = Request(
            method=method,
            path=f"/kapacitor/v1{parts.path}",
            query=parse_qs(parts.query),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            body=b"" if body is None else json.dumps(body).encode(),
        )
        answer = self._network.apps[f"http://{self.name}"].answer(request)
        return answer.status, json.loads(answer.body) if answer.body else None

    def define(self, task_id: str) -> Any:
        dbrps = [{"db": "telegraf", "rp": "autogen"}]
        body = {"id": task_id, "type": "stream", "dbrps": dbrps, "script": SCRIPT, "status": "enabled"}
        status, told = self.ask("POST", "/tasks", body)
        assert status == 200, told
        return told

    def close(self) -> None:
        self.store.close()
        self.leases.close()


@dataclass
class Cluster:
    state_url: str
    opened: ExitStack
    network: Network = field(default_factory=Network)

    def node(self, name: str) -> Node:
        return self.opened.enter_context(closing(Node(name, self.state_url, self.network)))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as opened:
        yield Cluster(f"sqlite://{tmp_path}/state", opened)


@pytest.fixture
def two(cluster: Cluster) -> tuple[Node, Node]:
    """With tasks, each aware of the other."""
    one = cluster.node("a")
    for each in IDS:
        one.define(each)
    other = cluster.node("b")
    settle(one, other)
    return one, other


def settle(*nodes: Node) -> None:
    for _ in range(2):
        for each in nodes:
            each.beat()


def test_tasks_of_one_server_are_shared_with_one_that_comes(two: tuple[Node, Node]) -> None:
    one, other = two
    assert one.master.running.keys() | other.master.running.keys() == set(IDS)
    assert not one.master.running.keys() & other.master.running.keys()
    assert one.master.running
    assert other.master.running


def test_tasks_of_a_server_that_is_not_heard_any_more_run_at_the_other(two: tuple[Node, Node]) -> None:
    one, other = two
    other.cut_off()
    for _ in range(6):
        one.beat()
    assert one.master.running.keys() == set(IDS)


def test_a_server_that_was_taken_for_dead_gives_up_its_tasks_and_gets_its_share_again(two: tuple[Node, Node]) -> None:
    one, other = two
    before = set(other.master.running)
    for _ in range(6):
        one.beat()
    other.member.renew()
    assert other.member.is_lost
    settle(other, one)
    settle(other, one)
    assert set(other.master.running) == before
    assert set(one.master.running) == set(IDS) - before


def test_each_server_shows_every_task_as_it_runs_wherever_that_is(two: tuple[Node, Node]) -> None:
    for node in two:
        assert [node.ask("GET", f"/tasks/{each}")[1]["executing"] for each in IDS] == [True] * len(IDS)
        told = node.ask("GET", "/tasks?fields=executing")[1]["tasks"]
        assert {each["id"]: each["executing"] for each in told} == dict.fromkeys(IDS, True)


def test_what_an_http_out_holds_is_had_from_any_server(two: tuple[Node, Node]) -> None:
    one, other = two
    task_id = min(other.master.running)
    other.master.outputs[task_id, "mean"] = b'{"series":[1]}'
    assert one.ask("GET", f"/tasks/{task_id}/mean") == (200, {"series": [1]})


def test_a_task_is_made_where_it_is_to_run_whoever_is_asked(two: tuple[Node, Node]) -> None:
    one, other = two
    for number in range(8):
        assert one.define(f"new{number}")["executing"] is True
    new = {f"new{number}" for number in range(8)}
    assert new <= one.master.running.keys() | other.master.running.keys()
    assert new & other.master.running.keys()
    settle(one, other)
    started = [task for node in two for task, _ in node.master.started if task in new]
    assert sorted(started) == sorted(new)


def test_changes_are_made_by_the_server_that_runs_the_task(two: tuple[Node, Node]) -> None:
    one, other = two
    task_id = min(other.master.running)
    assert one.ask("PATCH", f"/tasks/{task_id}", {"status": "disabled"})[1]["status"] == "disabled"
    assert task_id not in other.master.running
    assert one.ask("PATCH", f"/tasks/{task_id}", {"status": "enabled"})[1]["executing"] is True
    assert one.ask("DELETE", f"/tasks/{task_id}")[0] == 204
    assert (other.ask("GET", f"/tasks/{task_id}")[0], task_id in other.master.running) == (404, False)


def test_a_change_that_another_server_made_is_followed_with_the_next_beat(two: tuple[Node, Node]) -> None:
    one, other = two
    changed, stopped, gone = sorted(other.master.running)[:3]
    forwarded = {"x_pipeline_forwarded": "once"}
    _, told = one.ask("PATCH", f"/tasks/{changed}", {"script": SCRIPT.replace("mean", "max")}, **forwarded)
    one.ask("PATCH", f"/tasks/{stopped}", {"status": "disabled"}, **forwarded)
    one.ask("DELETE", f"/tasks/{gone}", **forwarded)
    assert told["executing"] is False
    other.beat()
    assert other.master.running[changed].endpoints() == ["max"]
    assert not {stopped, gone} & other.master.running.keys()
    assert changed not in one.master.running


def test_a_request_goes_on_once(two: tuple[Node, Node], cluster: Cluster) -> None:
    one, other = two
    task_id = min(other.master.running)
    standing = other.member._standing
    other.member._epochs.pop(task_id)
    other.member._standing = replace(
        standing, leases=(), servers=tuple(each for each in standing.servers if each.place == "a")
    )
    cluster.network.asked.clear()
    one.ask("GET", f"/tasks/{task_id}")
    assert cluster.network.asked == [("http://b", "GET", f"/kapacitor/v1/tasks/{task_id}")]


def test_while_a_holder_does_not_answer_others_say_so_and_list_what_they_know(two: tuple[Node, Node]) -> None:
    one, other = two
    task_id = min(other.master.running)
    other.cut_off()
    status, told = one.ask("GET", f"/tasks/{task_id}/mean")
    assert (status, "http://b, which holds it, does not answer" in told["error"]) == (503, True)
    listed = one.ask("GET", "/tasks?fields=executing")[1]["tasks"]
    assert {each["id"] for each in listed if each["executing"]} == set(one.master.running)
    assert len(listed) == len(IDS)


def test_one_server_records_and_replays_for_all_and_another_after_it(two: tuple[Node, Node]) -> None:
    one, other = two
    asked = {"id": "r", "task": IDS[0], "stop": "2030-01-01T00:00:00Z"}
    assert other.ask("POST", "/recordings/stream", asked)[0] == 201
    assert [node.ask("GET", "/recordings/r")[0] for node in two] == [202, 202]
    assert (list(one.recordings.kept), list(other.recordings.kept)) == (["r"], [])
    assert other.ask("POST", "/replays", {"id": "again", "task": IDS[0], "recording": "r"})[0] == 201
    assert [node.ask("GET", "/replay-alerts/again")[0] for node in two] == [200, 200]
    one.cut_off()
    for _ in range(7):
        other.beat()
    assert other.ask("GET", "/recordings/r")[0] == 404
    assert other.ask("POST", "/recordings/stream", asked)[0] == 201


def test_a_server_that_stops_does_not_wait_for_a_task_that_is_starting(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, starting, compiled = cluster.node("a"), Event(), Event()
    monkeypatch.setattr(node.master, "start_task", lambda _: (starting.set(), compiled.wait(PATIENCE_S)))
    beats = Beats(node.member)
    with Follower(beats, node.member, node.registry):
        asked = NewTask(id="slow", script=SCRIPT, dbrps=(("db", "rp"),), status="enabled")
        node.store.create(defined(asked, 1))
        beats.looked.set()
        assert starting.wait(PATIENCE_S)
    assert not compiled.is_set()
    compiled.set()
