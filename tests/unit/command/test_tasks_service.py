"""The task API behind its real server, and the commands that speak to it."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import Result
from pipeline_cli.errors import AddressTaken, OpenToAll, TaskApiAway, TaskRefused
from pipeline_cli.main import app
from pipeline_cli.tasks import dbrp
from pipeline_cli.tasks_service import Engine, Worker, _identity, listening_address
from pipeline_processing.tasks.settings import TasksSettings
from pipeline_queue.errors import BadSetting
from pipeline_queue.settings import filled
from running_demo import free_port
from running_tasks import RunningTasks, running_tasks
from typer.testing import CliRunner
from waiting import PATIENCE_S

TOKEN = "a-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SCRIPT = "stream\n    |from()\n    |httpOut('mean')\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTasks]:
    folder = tmp_path_factory.mktemp("tasks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TASKS_STATE_URL", f"sqlite://{folder}/state")
        patch.setenv("QUEUE_URL", f"sqlite://{folder}/queue")
        patch.setenv("TASKS_DIR", f"{folder}/tasks")
        patch.setenv("TASKS_STATS_INTERVAL_S", "0")
        patch.setenv("TASKS_TOKEN", TOKEN)
        patch.setenv("TASKS_BODY_BYTES_MAX", "100000")
        with running_tasks() as here:
            yield here
        assert here.is_closed


@pytest.fixture
def here(running: RunningTasks, monkeypatch: pytest.MonkeyPatch) -> RunningTasks:
    monkeypatch.setenv("TASKS_URL", running.url)
    monkeypatch.setenv("TASKS_TOKEN", TOKEN)
    for each in running.ask("GET", "/kapacitor/v1/tasks?limit=0", **BEARER)[2]["tasks"]:
        running.ask("DELETE", quote(each["link"]["href"]), **BEARER)
    running.written.clear()
    running.master.started.clear()
    return running


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "mean.tick"
    path.write_text(SCRIPT)
    return path


def task(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["task", *map(str, arguments)])


def shown(task_id: str) -> Any:
    return json.loads(task("show", task_id, "--json").stdout)


def test_a_ping_needs_no_token_and_all_else_does(here: RunningTasks) -> None:
    status, headers, body = here.ask("HEAD", "/ping")
    assert (status, headers["x-kapacitor-version"], body) == (204, "1.5.9", b"")
    assert here.ask("GET", "/kapacitor/v1/tasks")[0] == 401
    assert here.ask("GET", "/kapacitor/v1/tasks", **BEARER)[2] == {"tasks": []}
    assert here.ask("GET", f"/kapacitor/v1/tasks?u=me&p={TOKEN}")[0] == 200


def test_it_is_called_healthy_by_nobody_before_it_answers(running: RunningTasks) -> None:
    assert running.health_port == 0


def test_paths_and_queries_arrive_decoded(here: RunningTasks) -> None:
    body = json.dumps({"id": "größe", "script": SCRIPT, "dbrps": [{"db": "a", "rp": "b"}]}).encode()
    assert here.ask("POST", "/kapacitor/v1/tasks", body, **BEARER)[0] == 200
    status, headers, told = here.ask("GET", "/kapacitor/v1/tasks/gr%C3%B6%C3%9Fe?script-format=raw", **BEARER)
    assert (status, headers["content-type"], told["id"]) == (200, "application/json; charset=utf-8", "größe")
    assert (
        here.ask("GET", "/kapacitor/v1/tasks?pattern=gr%C3%B6%2A&fields=link", **BEARER)[2]["tasks"][0]["id"] == "größe"
    )


def test_a_percent_sign_in_a_name_is_decoded_once(here: RunningTasks) -> None:
    body = {"id": "cpu", "script": SCRIPT.replace("mean", "100%25"), "dbrps": [{"db": "a", "rp": "b"}]}
    here.ask("POST", "/kapacitor/v1/tasks", json.dumps(body | {"status": "enabled"}).encode(), **BEARER)
    assert here.ask("GET", "/kapacitor/v1/tasks/cpu/100%2525", **BEARER)[2] == {"series": []}


def test_points_reach_the_door_with_their_headers(here: RunningTasks) -> None:
    sent = b"cpu v=1\n" * 10_000
    assert here.ask("POST", "/write?db=a&precision=s", sent, **BEARER, **{"Content-Encoding": "none"})[0] == 204
    ((body, query, headers),) = here.written
    assert (body, query, headers["content-encoding"]) == (sent, {"db": "a", "precision": "s"}, "none")


def test_a_body_that_is_too_large_is_told_how_large_it_may_be(here: RunningTasks) -> None:
    status, _, told = here.ask("POST", "/write?db=a", b"x" * 100_001, **BEARER)
    assert (status, told, here.written) == (413, {"error": "a request may have 100,000 bytes"}, [])


def test_a_task_goes_from_its_definition_to_its_end(here: RunningTasks, script: Path) -> None:
    assert task("define", "cpu", "--tick", script, "--dbrp", "telegraf.autogen").exit_code == 0
    assert task("enable", "c*").exit_code == 0
    told = shown("cpu")
    assert (told["executing"], told["script"], told["dbrps"]) == (True, SCRIPT, [{"db": "telegraf", "rp": "autogen"}])
    listed = task("list")
    assert listed.stdout.split()[-5:] == ["cpu", "stream", "enabled", "true", "telegraf.autogen"]
    assert task("disable", "cpu").exit_code == 0
    assert shown("cpu")["executing"] is False
    assert task("delete", "cpu").exit_code == 0
    assert isinstance(task("show", "cpu").exception, TaskRefused)


def test_a_task_is_enabled_from_a_time_in_the_past_and_shows_it(here: RunningTasks, script: Path) -> None:
    task("define", "cpu", "--tick", script, "--dbrp", "a.b")
    assert task("enable", "cpu", "--from", "2026-01-01T01:00:00+01:00").exit_code == 0
    assert "from: 2026-01-01T00:00:00Z" in task("show", "cpu").stdout.splitlines()
    assert task("enable", "cpu", "--from", "-1h").exit_code == 0
    assert (len(here.master.started), shown("cpu")["from"] > "2026-01-01T00:00:00Z") == (2, True)
    refused = task("enable", "cpu", "--from", "yesterday").exception
    assert str(refused) == 'invalid from: "yesterday" is no time of RFC 3339, such as 2026-01-02T15:04:05Z'


def test_what_is_said_anew_changes_and_the_rest_stays(here: RunningTasks, script: Path, tmp_path: Path) -> None:
    values = tmp_path / "vars.json"
    values.write_text('{"x": {"type": "int", "value": 5}}')
    task("define", "cpu", "--tick", script, "--dbrp", "a.b")
    assert task("define", "cpu", "--dbrp", '"c"."d.e"', "--dbrp", "f.g", "--vars", values).exit_code == 0
    told = shown("cpu")
    assert (told["script"], told["vars"]["x"]["value"]) == (SCRIPT, 5)
    assert told["dbrps"] == [{"db": "c", "rp": "d.e"}, {"db": "f", "rp": "g"}]


def test_show_prints_the_script_and_the_graph(here: RunningTasks, script: Path) -> None:
    task("define", "cpu", "--tick", script, "--dbrp", "a.b")
    lines = task("show", "cpu").stdout.splitlines()
    assert lines[:5] == ["id: cpu", "error:", "type: stream", "status: disabled", "executing: false"]
    assert lines[8:13] == [
        "databases and retention policies: a.b",
        "script:",
        *SCRIPT.splitlines(),
    ]
    assert lines[-4:] == ["digraph cpu {", "stream0 -> from1;", "from1 -> http_out2;", "}"]


def test_reload_starts_a_task_anew(here: RunningTasks, script: Path) -> None:
    task("define", "cpu", "--tick", script, "--dbrp", "a.b")
    task("enable", "cpu")
    before = len(here.master.started)
    assert task("reload", "cpu").exit_code == 0
    assert len(here.master.started) == before + 1


def test_a_watched_task_prints_its_counters(here: RunningTasks, script: Path) -> None:
    task("define", "cpu", "--tick", script, "--dbrp", "a.b")
    assert "does not run: disabled" in str(task("watch", "cpu").exception)
    task("enable", "cpu")
    done = task("watch", "cpu", "--looks", 1)
    assert done.stdout == "0.0 points/s  from1 0→0  http_out2 0→0  stream0 0→0\n"


def test_a_pattern_that_fits_none_is_refused_before_anything_is_done(here: RunningTasks, script: Path) -> None:
    task("define", "cpu", "--tick", script, "--dbrp", "a.b")
    refused = task("delete", "cpu", "mem*")
    assert (isinstance(refused.exception, TaskRefused), "mem*" in str(refused.exception)) == (True, True)
    assert shown("cpu")["id"] == "cpu"


def test_a_wrong_script_is_refused_with_its_place(here: RunningTasks, script: Path) -> None:
    script.write_text("stream\n    |wndow()")
    refused = task("define", "cpu", "--tick", script, "--dbrp", "a.b").exception
    assert str(refused).startswith("invalid TICKscript: line 2 char 6: ")


def test_a_list_goes_on_beyond_its_first_page(here: RunningTasks) -> None:
    for number in range(101):
        body = json.dumps({"id": f"t{number}", "script": SCRIPT, "dbrps": [{"db": "a", "rp": "b"}]}).encode()
        here.ask("POST", "/kapacitor/v1/tasks", body, **BEARER)
    assert len(task("list", "t*", "--json").stdout.splitlines()) == 101


def test_a_wrong_token_is_told_so(here: RunningTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKS_TOKEN", "other")
    assert "authentication" in str(task("list").exception)


def test_an_api_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    refused = task("list", "--url", url).exception
    assert (isinstance(refused, TaskApiAway), url in str(refused)) == (True, True)


@pytest.mark.parametrize("text", ["", "a", "a.b.c", '"a"', '"a"."b"x', 'a"."b'])
def test_what_is_no_database_and_retention_policy_is_refused(text: str) -> None:
    assert task("define", "cpu", "--dbrp", text).exit_code == 2


def test_quotes_around_database_and_retention_policy_are_optional() -> None:
    assert [dbrp("a.b"), dbrp('"a.x"."b"')] == [{"db": "a", "rp": "b"}, {"db": "a.x", "rp": "b"}]


def test_an_open_api_is_for_loopback_alone_unless_it_is_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TASKS_TOKEN", raising=False)
    port = free_port()
    assert listening_address(TasksSettings(port=port)) == "127.0.0.1"
    with pytest.raises(OpenToAll, match="TASKS_TOKEN"):
        listening_address(TasksSettings(host="0.0.0.0", port=port))
    for given in ({"open_to": "network"}, {"token": "x"}):
        assert listening_address(TasksSettings(host="0.0.0.0", port=port, **given)) == "0.0.0.0"


def test_an_empty_token_is_no_token_and_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKS_TOKEN", "")
    with pytest.raises(BadSetting, match="TASKS_TOKEN"):
        filled(TasksSettings)


def test_two_servers_of_one_machine_and_store_are_two_of_one_cluster() -> None:
    one, other = (_identity("sqlite:///state", place) for place in ("here:9092", "here:9093"))
    assert (one.cluster_id, one.host) == (other.cluster_id, other.host)
    assert one.server_id != other.server_id


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(AddressTaken, match="TASKS_PORT"):
        listening_address(TasksSettings(port=taken.getsockname()[1]))


def test_a_body_that_does_not_come_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKS_STATE_URL", f"sqlite://{tmp_path}/state")
    monkeypatch.setenv("QUEUE_URL", f"sqlite://{tmp_path}/queue")
    monkeypatch.setenv("TASKS_DIR", f"{tmp_path}/tasks")
    monkeypatch.setenv("TASKS_STATS_INTERVAL_S", "0")
    monkeypatch.setenv("TASKS_REQUEST_WITHIN_S", "1")
    with running_tasks() as slow, socket.create_connection(("127.0.0.1", slow.port), timeout=PATIENCE_S) as asking:
        asking.sendall(b"POST /write HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf")
        assert asking.recv(100).startswith(b"HTTP/1.1 408 ")
        assert slow.written == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_start_that_takes_long_is_ended_by_a_signal_and_closes_what_it_opened(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKS_STATE_URL", f"sqlite://{tmp_path}/state")
    monkeypatch.setenv("QUEUE_URL", f"sqlite://{tmp_path}/queue")
    before, closed = signal.getsignal(number), []

    @contextmanager
    def opened(*_: Any) -> Iterator[Engine]:
        try:
            os.kill(os.getpid(), number)
            pytest.fail("nobody heard it")
        finally:
            closed.append(True)
        yield

    with pytest.raises(SystemExit):
        Worker(opened).__rsgi_init__(None)
    assert (closed, signal.getsignal(number)) == ([True], before)
