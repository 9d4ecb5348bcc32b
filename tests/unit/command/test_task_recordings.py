"""`pipeline task record` and `pipeline task replay` against a running task API with real recordings and replays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from pipeline_cli.errors import CommandError, TaskRefused
from pipeline_cli.main import app
from pipeline_cli.task_files import Tables, selected_rows
from pipeline_cli.tasks_service import Engine
from pipeline_output.handlers.outcomes import Outcomes
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.tasks.kept_recordings import KeptRecordings
from pipeline_processing.tasks.kept_replays import KeptReplays
from pipeline_queue.brokers import open_broker
from pipeline_queue.points.block import messages
from pipeline_queue.recordings.lines import blocks_of_lines
from pipeline_queue.topics import POINTS
from running_tasks import RunningTasks, running_tasks
from typer.testing import CliRunner

SCRIPT = """dbrp "d"."r"
stream
    |from()
        .measurement('cpu')
    |httpOut('newest')
    |alert()
        .crit(lambda: "usage" > 1)
"""
QUERY = "select * from d.r.cpu where time < '1970-01-01T00:00:10Z'"


class RealTasks(RunningTasks):
    @contextmanager
    def engine(self, settings: Any, *_: Any) -> Iterator[Engine]:
        def broker() -> Any:
            return open_broker(settings.queue_url)

        first = broker()
        first.create([POINTS])
        lines = "cpu usage=1 1\ncpu usage=2 2\ncpu usage=3 11\nmem free=1i 3"
        (block,) = blocks_of_lines(lines, ("d", "r"), "s")
        first.publish("points", list(messages(block.origin, block.batch)))
        first.close()
        master = TaskMaster()
        recordings = KeptRecordings(
            Path(settings.state_url.get_secret_value()[len("sqlite://") :]) / "recordings", broker
        )
        replays = KeptReplays(recordings, master)
        yield Engine(
            master=master,
            recordings=recordings,
            replays=replays,
            door=self._write,
            ingress=dict,
            outcomes=Outcomes(Path("nothing was delivered")),
        )
        replays.close()
        recordings.close()
        master.close()
        self.is_closed = True


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTasks]:
    folder = tmp_path_factory.mktemp("tasks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TASKS_STATE_URL", f"sqlite://{folder}/state")
        patch.setenv("QUEUE_URL", f"sqlite://{folder}/queue")
        patch.setenv("TASKS_DIR", f"{folder}/tasks")
        patch.setenv("TASKS_STATS_INTERVAL_S", "0")
        with running_tasks(RealTasks) as here:
            script = folder / "cpu.tick"
            script.write_text(SCRIPT)
            patch.setenv("TASKS_URL", here.url)
            done = task("define", "cpu", "--tick", script)
            assert (done.exit_code, done.output) == (0, "")
            yield here
        assert here.is_closed


@pytest.fixture(autouse=True)
def here(running: RunningTasks, monkeypatch: pytest.MonkeyPatch) -> RunningTasks:
    monkeypatch.setenv("TASKS_URL", running.url)
    return running


def task(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["task", *map(str, arguments)])


def test_what_is_recorded_is_listed_replayed_and_deleted() -> None:
    assert task("record", "query", QUERY, "--id", "rec").stdout == "rec\n"
    (listed,) = [json.loads(each) for each in task("record", "list", "--json").stdout.splitlines()]
    assert (listed["id"], listed["status"], listed["progress"]) == ("rec", "finished", 1)
    assert "rec" in task("record", "list").stdout
    done = task("replay", "cpu", "rec", "--real-clock")
    assert done.stdout.splitlines()[1:] == [
        "stream0: 2 in, 2 out, 0 errors",
        "from1: 2 in, 2 out, 0 errors",
        "http_out2: 2 in, 2 out, 0 errors",
        "alert3: 2 in, 1 out, 0 errors",
    ]
    name, output = task("replay", "cpu", "rec", "--rec-time", "--output", "newest").stdout.splitlines()
    assert re.fullmatch(r"[0-9a-f-]{36}", name)
    series = {"name": "cpu", "columns": ["time", "usage"], "values": [["1970-01-01T00:00:02Z", 2]]}
    assert json.loads(output) == {"httpOut": "newest", "series": [series]}
    printed = task("replay", "cpu", "rec", "--rec-time", "--alerts", "--output", "newest", "--id", "again").stdout
    name, alert, output = printed.splitlines()
    told = {each: json.loads(alert)[each] for each in ("alert", "id", "level", "time", "data")}
    assert told == {
        **{"alert": "alert3", "id": "cpu:nil", "level": "CRITICAL", "time": "1970-01-01T00:00:02Z"},
        "data": {"series": [series]},
    }
    assert (name, json.loads(output)["httpOut"]) == ("again", "newest")
    assert task("record", "delete", "rec").exit_code == 0
    assert task("record", "list", "--json").stdout == ""


def test_a_stream_is_recorded_for_as_long_as_is_said() -> None:
    assert task("record", "stream", "cpu", "--duration", "300ms", "--id", "short").stdout == "short\n"
    assert task("record", "stream", "cpu", "--duration", "1h", "--id", "long", "--no-wait").stdout == "long\n"
    found = [json.loads(each) for each in task("record", "list", "--json").stdout.splitlines()]
    assert {each["id"]: each["status"] for each in found} == {"short": "finished", "long": "running"}
    with pytest.raises(TaskRefused, match="is running"):
        task_or_raise("replay", "cpu", "long")
    assert task("record", "delete", "short", "long").exit_code == 0


def test_a_stream_is_recorded_until_the_time_that_is_said() -> None:
    stop = datetime.now(UTC) + timedelta(seconds=0.3)
    assert task("record", "stream", "cpu", "--until", stop.isoformat(), "--id", "short").stdout == "short\n"
    assert datetime.now(UTC) >= stop
    assert task("record", "delete", "short").exit_code == 0


@pytest.mark.parametrize(
    ("name", "held", "more"),
    [
        ("a.srpl", "d\nr\ncpu,host=a usage=1 1\nd\nr\ncpu,host=a usage=2 2\n", ["--precision", "s"]),
        ("a.lp", "cpu,host=a usage=1 1\ncpu,host=a usage=2 2\n", ["--precision", "s", "--dbrp", "d.r"]),
        (
            "a.brpl",
            '{"name":"cpu","tags":{"host":"a"},"points":[{"fields":{"usage":1},"time":"1970-01-01T00:00:01Z"},'
            '{"fields":{"usage":2},"time":"1970-01-01T00:00:02Z"}]}\n',
            ["--dbrp", "d.r"],
        ),
    ],
)
def test_a_file_becomes_a_recording_of_the_server_and_is_replayed(
    tmp_path: Path, name: str, held: str, more: list[str]
) -> None:
    (tmp_path / name).write_text(held)
    assert task("record", "import", tmp_path / name, "--id", "brought", *more).stdout == "brought\n"
    output = task("replay", "cpu", "brought", "--rec-time", "--output", "newest").stdout.splitlines()[1]
    (series,) = json.loads(output)["series"]
    assert (series["tags"], series["values"]) == ({"host": "a"}, [["1970-01-01T00:00:02Z", 2]])
    assert task("record", "delete", "brought").exit_code == 0


def test_rows_of_a_loaders_files_are_points_of_the_topic_that_the_query_names(tmp_path: Path) -> None:
    crash = {"client": ["web", "app", "web"], "event_id": ["1", "2", "3"], "time_ns": [1, 5, 9]}
    folder = tmp_path / "crash_report"
    folder.mkdir()
    pq.write_table(
        pa.table(crash | {"user_id": [7, 8, 9], "message": ["x", "y", "z"]}), folder / "000000000001.parquet"
    )
    text = 'select * from pipeline."events-crash-report"."events-crash-report" where time > 1'
    rows = [row for block in selected_rows(text, Tables(path=folder)) for row in block.batch.to_pylist()]
    assert rows == [
        {"time": 5, "series": b"events-crash-report,client=app", "event_id": "2", "user_id": 8, "message": "y"},
        {"time": 9, "series": b"events-crash-report,client=web", "event_id": "3", "user_id": 9, "message": "z"},
    ]


def test_a_query_over_parquet_files_is_recorded_and_replayed(tmp_path: Path) -> None:
    pq.write_table(pa.table({"at": [1, 2, 3], "host": ["a", "b", "a"], "usage": [1, 5, 9]}), tmp_path / "a.parquet")
    query = "select * from d.r.cpu where time < 3"
    how = ["--parquet", tmp_path, "--time", "at", "--tag", "host", "--id", "rows"]
    assert task("record", "query", query, *how).stdout == "rows\n"
    output = task("replay", "cpu", "rows", "--rec-time", "--output", "newest").stdout.splitlines()[1]
    found = [(each["tags"], each["values"][0][1]) for each in json.loads(output)["series"]]
    assert found == [({"host": "b"}, 5)]
    assert task("record", "delete", "rows").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["record", "stream", "no", "--duration", "1s"], "no task exists"),
        (["record", "query", "show databases"], "no query that is recorded here"),
        (["record", "delete", "no"], "no recording exists"),
        (["replay", "cpu", "no"], "recording not found"),
    ],
)
def test_what_the_api_refuses_is_said_in_its_words(arguments: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        task_or_raise(*arguments)


def test_a_replay_is_asked_of_the_server_that_is_said(monkeypatch: pytest.MonkeyPatch, running: RunningTasks) -> None:
    monkeypatch.setenv("TASKS_URL", "http://127.0.0.1:1")
    with pytest.raises(TaskRefused, match="recording not found"):
        task_or_raise("replay", "cpu", "no", "--url", running.url)


def test_what_makes_no_sense_is_refused_at_once() -> None:
    assert task("record", "query", QUERY, "--tag", "host").exit_code == 2
    said = (["--duration", "soon"], "is no duration"), (["--until", "soon"], "is no time"), ([], "either --duration or")
    for how, told in said:
        done = task("record", "stream", "cpu", *how)
        assert (done.exit_code, told in done.stderr) == (2, True)


def task_or_raise(*arguments: str) -> None:
    CliRunner().invoke(app, ["task", *arguments], catch_exceptions=False)
