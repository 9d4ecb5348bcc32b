"""Tasks as feeds: what is looked at is asked for, and what is wished is done, at an API whose tasks are in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from memory_tasks import MemoryTaskMaster
from pipeline_display.app import add_messages
from pipeline_display.feeds.looks import EVERY_S, FORGET_S, THINGS_MAX, Look, Looks
from pipeline_display.feeds.task_api import ANSWER_BYTES_MAX, TaskApi
from pipeline_display.feeds.task_wishes import (
    SCRIPT_LENGTH_MAX,
    UNDER_WAY_MAX,
    TaskWish,
    TaskWishes,
    TaskWishesReader,
    request_of,
)
from pipeline_display.feeds.tasks import LookedAtReader, endpoints, one_task, task_list
from pipeline_display.handed_in import HandedIn
from pipeline_processing.alerts.event import AlertEvent, Place
from pipeline_processing.engine.left import Told
from task_api_at_hand import answering, body_of, nobody, served
from tasks_at_hand import CPU, TaskServer, task_server

EVENT = AlertEvent(
    id="a", message="a is high", details="", time_ns=10**9, duration_ns=0, level=3, previous_level=0, recoverable=True,
    data={}, group="nil", tags=(), name="cpu", database="d", retention_policy="r", place=Place(), topic="", category="",
    handlers=(), cause=0,
)  # fmt: skip
SERIES = {"series": [{"name": "cpu", "columns": ["time", "usage"], "values": [["2026-01-01T00:00:00Z", 5]]}]}


@pytest.fixture
def tasks(tmp_path: Path) -> Iterator[TaskServer]:
    with task_server(tmp_path) as tasks:
        yield tasks


def listed(url: str, token: str | None = None) -> Mapping[str, Any]:
    return task_list(TaskApi(url, token))(Look())


def shown(url: str, look: Look) -> Mapping[str, Any]:
    return one_task(TaskApi(url, None))(look)


class Hand:
    """A clock that is set by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_what_is_looked_at_is_due_at_once_and_again_after_a_second_until_nobody_looks() -> None:
    clock = Hand()
    looks = Looks(clock)
    nothing = looks.take(0.0)
    assert looks.note(Look(task="cpu"))
    first, too_soon = looks.take(0.0), looks.take(0.0)
    clock.now_s += EVERY_S
    again = looks.take(0.0)
    clock.now_s += FORGET_S
    forgotten = looks.take(0.0)
    assert (nothing, first, too_soon, again, forgotten) == (None, Look(task="cpu"), None, Look(task="cpu"), None)


def test_what_has_waited_longest_is_asked_for_first_and_no_more_than_can_be() -> None:
    clock = Hand()
    looks = Looks(clock)
    taken = []
    for i in range(THINGS_MAX):
        clock.now_s += 0.001
        taken.append(looks.note(Look(task=str(i))))
    one_more, an_old_one = looks.note(Look(task="more")), looks.note(Look(task="0"))
    assert (all(taken), one_more, an_old_one) == (True, False, True)
    assert [looks.take(0.0).task for _ in range(3)] == ["0", "1", "2"]


def test_a_page_that_looks_wakes_the_feed_and_without_one_nothing_is_asked(tasks: TaskServer) -> None:
    asked = []
    reader = LookedAtReader(looks := Looks(), lambda look: asked.append(look) or {"task_id": look.task})
    idle = reader.look()
    looks.note(Look(task="cpu"))
    (body,) = reader.look().bodies
    assert (idle.bodies, json.loads(body), asked) == ([], {"task_id": "cpu"}, [Look(task="cpu")])


def test_a_list_has_how_each_task_stands_and_no_script(tasks: TaskServer) -> None:
    tasks.define(status="enabled")
    tasks.define("other")
    tasks.master.fail("cpu", "it met a string")
    with served(tasks) as url:
        told = listed(url)
    rows = [(each["id"], each["status"], each["executing"], each["error"], "script" in each) for each in told["tasks"]]
    assert rows == [("cpu", "enabled", False, "it met a string", False), ("other", "disabled", False, "", False)]
    assert (told["is_away"], told["trouble"]) == (False, "")


def test_more_tasks_than_a_page_of_the_api_holds_are_all_listed(tasks: TaskServer) -> None:
    for i in range(101):
        tasks.define(f"task{i}")
    with served(tasks) as url:
        assert len(listed(url)["tasks"]) == 101


def test_an_api_that_is_gone_is_away_and_one_that_refuses_is_not(tmp_path: Path) -> None:
    gone = listed(url := nobody())
    with task_server(tmp_path, token="t0") as tasks, served(tasks) as asking:
        refused, let_in = listed(asking), listed(asking, "t0")
    assert (gone["is_away"], url in gone["trouble"], "refused" in gone["trouble"]) == (True, True, True)
    assert (refused["is_away"], "token" in refused["trouble"]) == (False, True)
    assert (let_in["is_away"], let_in["trouble"]) == (False, "")


@pytest.mark.parametrize("answer", [b"<html>", b"x" * (ANSWER_BYTES_MAX + 1)])
def test_what_is_no_json_or_too_much_is_trouble(answer: bytes) -> None:
    with answering(lambda *_: (200, answer)) as url:
        told = listed(url)
    assert (told["is_away"], told["tasks"]) == (True, [])


def test_one_task_comes_with_its_script_as_it_was_written_its_graph_and_its_results(tasks: TaskServer) -> None:
    script = CPU.replace("    |", " |")
    tasks.define(script=script, status="enabled")
    tasks.master.outputs["cpu", "mean"] = body_of(SERIES)
    with served(tasks) as url:
        told = shown(url, Look(task="cpu"))
    task = told["task"]
    assert (task["script"], "stream0 -> from1" in task["dot"], "attributes" in task["dot"]) == (script, True, True)
    assert (told["outputs"], told["replay"], told["trouble"]) == ({"mean": SERIES}, None, "")


def test_a_task_that_is_not_there_is_null_and_no_trouble(tasks: TaskServer) -> None:
    with served(tasks) as url:
        told = shown(url, Look(task="no/such task"))
    assert (told["task_id"], told["task"], told["trouble"]) == ("no/such task", None, "")


def test_a_task_that_does_not_run_is_not_asked_for_results(tasks: TaskServer) -> None:
    tasks.define()
    with served(tasks) as url:
        assert shown(url, Look(task="cpu"))["outputs"] == {}


def test_a_replay_that_is_looked_at_comes_with_its_results(tasks: TaskServer) -> None:
    tasks.define()
    tasks.define("other")
    tasks.ask("POST", "/recordings/stream", {"id": "taken", "task": "cpu", "stop": "2026-01-02T00:00:00Z"})
    tasks.recordings.finish("taken")
    tasks.ask("POST", "/replays", {"id": "mine", "task": "cpu", "recording": "taken"})
    tasks.ask("POST", "/replays", {"id": "others", "task": "other", "recording": "taken"})
    master = tasks.replays.task_master("mine")
    assert isinstance(master, MemoryTaskMaster)
    master.outputs["cpu", "mean"] = body_of(SERIES)
    event = replace(EVENT, data={"series": ["x" * ANSWER_BYTES_MAX]})  # more than a page can be told
    master.told["cpu"] = [Told(node="alert3", event=event)] * 101
    with served(tasks) as url:
        told, unknown = shown(url, Look(task="cpu", replay="mine")), shown(url, Look(task="cpu", replay="nobody"))
    assert [each["id"] for each in told["recordings"]] == ["taken"]
    assert ([each["id"] for each in told["replays"]], told["replay"]["status"]) == (["mine"], "running")
    assert told["replay_outputs"] == {"mean": SERIES}
    alert = {"alert": "alert3", "time": "1970-01-01T00:00:01Z", "level": "CRITICAL", "previousLevel": "OK", "id": "a", "message": "a is high"}  # fmt: skip
    assert told["replay_alerts"] == {"total": 101, "alerts": [alert] * 100}
    assert unknown["replay_alerts"] == {"error": "no replay exists"}
    assert (unknown["replay"], unknown["task"]["id"]) == ({"id": "nobody", "error": "no replay exists"}, "cpu")


@pytest.mark.parametrize(
    ("script", "variables", "expected"),
    [
        ("stream|from()|httpOut('a')|httpOut( 'b c' )", {}, ["a", "b c"]),
        ("stream|from()|httpOut('a') // |httpOut('b')\n|httpOut('a')", {}, ["a"]),
        ("stream|from().where(lambda: \"x\" == '//')|httpOut('a')", {}, ["a"]),
        ("stream|from()|httpOut('it\\'s')", {}, ["it's"]),
        ("var name = 'said'\nstream|from()|httpOut(name)", {}, ["said"]),
        ("var name = 'said'\nstream|from()|httpOut(name)", {"name": {"type": "string", "value": "given"}}, ["given"]),
        ("stream|from()|httpOut(unknown)", {}, []),
    ],
)
def test_endpoints_are_found_in_the_script(script: str, variables: dict[str, Any], expected: list[str]) -> None:
    assert endpoints(script, variables) == expected


def wish(do: str, **given: Any) -> TaskWish:
    return msgspec.convert({"id": f"a-{do}", "do": do, "task": "cpu"} | given, TaskWish)


def done(url: str, asked: TaskWish) -> dict[str, Any]:
    reader = TaskWishesReader(wishes := TaskWishes(), TaskApi(url, None))
    assert wishes.put(asked)
    bodies: list[bytes] = []
    for _ in range(100):  # each look waits for half a second
        bodies += reader.look().bodies
        if bodies:
            break
    return json.loads(bodies[0])


def test_wishes_define_change_stop_start_and_delete_a_task(tasks: TaskServer) -> None:
    dbrps = [{"db": "telegraf", "rp": "autogen"}]
    with served(tasks) as url:
        defined = done(url, wish("define", script=CPU, dbrps=dbrps))
        assert tasks.master.is_executing("cpu")
        done(url, wish("edit", script=CPU.replace("mean", "other")))
        assert tasks.master.endpoints("cpu") == ["other"]
        done(url, wish("disable"))
        assert not tasks.master.is_executing("cpu")
        done(url, wish("enable"))
        assert tasks.ask("GET", "/tasks/cpu").told["dbrps"] == dbrps
        deleted = done(url, wish("delete"))
    assert [(each["id"], each["error"], each["status"]) for each in (defined, deleted)] == [
        ("a-define", "", 200),
        ("a-delete", "", 204),
    ]
    assert tasks.ids() == []


def test_a_script_that_is_wrong_comes_back_with_its_place_and_defines_nothing(tasks: TaskServer) -> None:
    with served(tasks) as url:
        told = done(url, wish("define", script="stream\n  |from(", dbrps=[{"db": "a", "rp": "b"}]))
    assert (told["status"], told["error"].startswith("invalid TICKscript: line 2 char "), tasks.ids()) == (
        400,
        True,
        [],
    )


def test_a_wish_that_nobody_answers_says_so(tasks: TaskServer) -> None:
    told = done(nobody(), wish("enable"))
    assert (told["status"], "does not answer" in told["error"]) == (0, True)


def test_a_recording_and_a_replay_are_begun_and_named(tasks: TaskServer) -> None:
    tasks.define()
    with served(tasks) as url:
        recording = done(url, wish("record", seconds=5))["told"]["id"]
        tasks.recordings.finish(recording)
        replay = done(url, wish("replay", recording=recording, clock="real"))["told"]
    assert (replay["recording"], replay["clock"], replay["status"]) == (recording, "real", "running")


def test_a_recording_ends_so_many_seconds_after_it_was_wished() -> None:
    now = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    asked = request_of(wish("record", seconds=30), now)
    assert asked == ("POST", "/recordings/stream", {"task": "cpu", "stop": "2026-01-01T12:00:30+00:00"})


def test_an_id_stays_one_name_of_the_path() -> None:
    asked = request_of(wish("delete", task="../recordings/x?y"), datetime.now(UTC))
    assert asked == ("DELETE", "/tasks/..%2Frecordings%2Fx%3Fy", None)


def test_too_much_under_way_or_a_script_that_is_too_long_is_not_taken() -> None:
    wishes = TaskWishes()
    long = wishes.put(wish("define", script="x" * (SCRIPT_LENGTH_MAX + 1)))
    taken = [wishes.put(wish("enable")) for _ in range(UNDER_WAY_MAX + 1)]
    wishes.answer(b"{}")
    assert (long, taken, wishes.put(wish("enable"))) == (False, [True] * UNDER_WAY_MAX + [False], True)


class Socket:
    """What a page's messages are handed to."""

    def __init__(self) -> None:
        self.server, self.handlers = self, {}

    def on(self, name: str, handler: Any) -> None:
        self.handlers[name] = handler


def test_what_a_page_says_of_tasks_is_taken_and_what_has_another_form_is_not() -> None:
    handed_in, socket = HandedIn(), Socket()
    add_messages(socket, None, None, handed_in)
    look, asked = socket.handlers["look"], socket.handlers["wish"]
    assert [look("page", {}), look("page", {"task": "cpu"}), look("page", {"task": 5}), look("page")] == [
        True,
        True,
        None,
        None,
    ]
    assert (handed_in.list_looks.take(0.0), handed_in.task_looks.take(0.0)) == (Look(), Look(task="cpu"))
    answers = [asked("page", {"id": "1", "do": do, "task": "cpu"}) for do in ("enable", "explode")]
    assert answers == [True, None]
