"""The task API's paths: what is asked and what is answered."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from pipeline_output.errors import StoreUnavailable
from pipeline_processing.errors import ProcessingError
from pipeline_processing.graph.counting import go_duration
from pipeline_processing.tasks.api.messages import Request
from tasks_at_hand import CPU, NOW, TaskServer, task_server

WHOLE = (
    *("link", "id", "template-id", "type", "dbrps", "script", "vars", "dot", "status", "executing", "error", "stats"),
    *("created", "modified", "last-enabled"),
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TaskServer]:
    with task_server(tmp_path) as server:
        yield server


def test_a_ping_is_answered_with_the_version_and_nothing_else(here: TaskServer) -> None:
    for path in ("/ping", "/kapacitor/v1/ping"):
        for method in ("GET", "HEAD"):
            got = here.ask_at(method, path)
            assert (got.status, got.told, got.headers["x-kapacitor-version"]) == (204, None, "1.5.9")


def test_a_task_is_shown_whole_with_its_names_in_kapacitors_order(here: TaskServer) -> None:
    told = here.define(script="stream|from().measurement('cpu')|httpOut('mean')").told
    assert tuple(told) == WHOLE
    assert told == {
        "link": {"rel": "self", "href": "/kapacitor/v1/tasks/cpu"},
        "id": "cpu",
        "template-id": "",
        "type": "stream",
        "dbrps": [{"db": "telegraf", "rp": "autogen"}],
        "script": CPU,
        "vars": {},
        "dot": "digraph cpu {\nstream0 -> from1;\nfrom1 -> http_out2;\n}",
        "status": "disabled",
        "executing": False,
        "error": "",
        "stats": {},
        "created": NOW,
        "modified": NOW,
        "last-enabled": "0001-01-01T00:00:00Z",
    }


def test_a_script_is_laid_out_unless_it_is_asked_for_raw(here: TaskServer) -> None:
    raw = "stream|from().measurement('cpu')|httpOut('mean')"
    here.define(script=raw)
    asked = {each: here.ask("GET", f"/tasks/cpu?script-format={each}") for each in ("", "formatted", "raw", "no")}
    assert [each.told.get("script") for each in asked.values()] == [CPU, CPU, raw, None]
    assert asked["no"].status == 400


def test_the_graph_of_a_task_that_runs_comes_in_the_view_that_is_asked_for(here: TaskServer) -> None:
    here.define(status="enabled")
    views = [here.ask("GET", f"/tasks/cpu?dot-view={each}") for each in ("", "labels", "no")]
    assert [each.told.get("dot", "").rpartition(" ")[2] for each in views] == ["attributes", "labels", ""]
    assert views[2].status == 400


def test_text_that_html_would_read_is_escaped_as_go_does(here: TaskServer) -> None:
    here.define(script='stream|from().where(lambda: "a" > 1 AND "b" < 2 AND "c" == \'&\')|httpOut(\'mean\')')
    body = here.app.answer(Request(method="GET", path="/kapacitor/v1/tasks/cpu")).body
    assert b'\\"a\\" \\u003e 1 AND \\"b\\" \\u003c 2 AND \\"c\\" == \'\\u0026\'' in body
    assert body.startswith(b'{\n    "link": {\n        "rel": "self",')


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"id": "a b"}, "task ID must contain only letters, numbers, '-', '.' and '_'. \"a b\""),
        ({"id": "a/b"}, "task ID"),
        ({"id": "²"}, "task ID"),
        ({"id": "x" * 256}, "task ID"),
        ({"script": ""}, "must provide TICKscript"),
        ({"script": None}, "must provide TICKscript"),
        ({"dbrps": []}, "must specify dbrp"),
        ({"script": f'dbrp "a"."b"\n{CPU}'}, "cannot specify dbrp both"),
        ({"script": "var x = 1"}, "invalid task type"),
        ({"script": "stream|from()\nbatch|query('q')"}, "invalid task type"),
        ({"script": "stream\n    |from()\n  ||x()"}, "invalid TICKscript: line 3 char 4: "),
        ({"script": "stream\n    |from()\n    |wndow()"}, "invalid TICKscript: line 3 char 6: "),
        ({"type": "neither"}, "invalid JSON"),
        ({"status": 1}, "invalid JSON"),
        ({"dbrps": [{"rp": "x"}]}, "invalid JSON"),
        ({"template-id": "t"}, "unknown template t"),
        ({"vars": {"x": {"type": "int", "value": 1.5}}}, "invalid var x"),
        ({"vars": {"x": {"type": "lambda", "value": "1 +"}}}, "invalid var x: line 1 char 4: "),
        ({"script": f"var x int\n{CPU}"}, "invalid TICKscript: line 1 char 1: missing value"),
    ],
)
def test_a_wrong_definition_is_refused_with_the_reason_and_not_kept(
    here: TaskServer, given: dict[str, Any], reason: str
) -> None:
    got = here.define(**given)
    assert (got.status, reason in got.told["error"], here.ids()) == (400, True, [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"id": "\xff"}', b'{"id": "\\ud800"}'])
def test_what_is_no_json_object_is_refused(here: TaskServer, body: bytes) -> None:
    got = here.ask("POST", "/tasks", body)
    assert (got.status, got.told["error"].partition(":")[0]) == (400, "invalid JSON")


def test_an_id_that_is_taken_is_refused(here: TaskServer) -> None:
    here.define()
    got = here.define(script="stream|from()")
    assert (got.status, got.told) == (400, {"error": "task cpu already exists"})
    assert here.ask("GET", "/tasks/cpu").told["script"] == CPU


def test_letters_of_any_alphabet_are_ids_and_one_is_made_where_none_is_given(here: TaskServer) -> None:
    assert here.define("größe-1._日本").status == 200
    assert here.ask("GET", "/tasks/gr%C3%B6%C3%9Fe-1._%E6%97%A5%E6%9C%AC").told["id"] == "größe-1._日本"
    made = {here.define("").told["id"] for _ in range(3)}
    assert {len(each) for each in made} == {36}
    assert len(made) == 3


def test_the_script_makes_the_type_whatever_the_request_says(here: TaskServer) -> None:
    assert here.define(script="var d = batch|query('select')\nd|httpOut('x')").told["type"] == "batch"


def test_databases_that_the_script_names_are_the_tasks(here: TaskServer) -> None:
    told = here.define(script=f'dbrp "a"."b"\ndbrp "c"."d"\n{CPU}', dbrps=None).told
    assert told["dbrps"] == [{"db": "a", "rp": "b"}, {"db": "c", "rp": "d"}]


def test_variables_are_kept_and_shown(here: TaskServer) -> None:
    given = {"limit": {"type": "duration", "value": "1m30s", "description": "how long"}}
    assert here.define(vars=given).told["vars"] == {"limit": given["limit"] | {"value": 90_000_000_000}}


def test_a_list_has_the_fields_that_are_asked_for_with_id_and_link(here: TaskServer) -> None:
    here.define(status="enabled")
    told = here.ask("GET", "/tasks?fields=status&fields=executing").told
    assert told == {
        "tasks": [
            {
                "executing": True,
                "id": "cpu",
                "link": {"rel": "self", "href": "/kapacitor/v1/tasks/cpu"},
                "status": "enabled",
            }
        ]
    }


def test_a_list_without_fields_has_all_of_them_and_null_for_what_a_still_task_lacks(here: TaskServer) -> None:
    here.define()
    (told,) = here.ask("GET", "/tasks").told["tasks"]
    assert (set(told), told["stats"], told["dot"][:11]) == (set(WHOLE) - {"template-id"}, None, "digraph cpu")


def test_lists_are_cut_by_pattern_offset_and_limit(here: TaskServer) -> None:
    for each in ("cpu_b", "mem", "cpu_a", "cpu_c"):
        here.define(each)
    asked = (
        "",
        "&pattern=cpu_*",
        "&pattern=cpu_[ab]",
        "&pattern=cpu_*&offset=1&limit=1",
        "&limit=0&offset=3",
        "&pattern=x",
    )
    assert [here.ids(each) for each in asked] == [
        ["cpu_a", "cpu_b", "cpu_c", "mem"],
        ["cpu_a", "cpu_b", "cpu_c"],
        ["cpu_a", "cpu_b"],
        ["cpu_b"],
        ["mem"],
        [],
    ]


def test_a_list_has_a_hundred_unless_more_are_asked_for(here: TaskServer) -> None:
    for number in range(101):
        here.define(f"t{number}")
    assert (len(here.ids()), len(here.ids("&limit=200"))) == (100, 101)


@pytest.mark.parametrize(
    "query", ["fields=colour", "offset=x", "limit=1.5", "pattern=[a", "script-format=x", "dot-view=x"]
)
def test_a_wrong_parameter_of_a_list_is_refused(here: TaskServer, query: str) -> None:
    here.define()
    assert here.ask("GET", f"/tasks?{query}").status == 400


def test_enabling_runs_a_task_and_disabling_ends_it(here: TaskServer) -> None:
    here.define()
    here.clock.time_ns += 1_000_000_000
    told = here.ask("PATCH", "/tasks/cpu", {"status": "enabled"}).told
    later = NOW.replace("00.1", "01.1")
    assert (told["status"], told["executing"], told["created"], told["modified"], told["last-enabled"]) == (
        *("enabled", True, NOW),
        *(later, later),
    )
    assert set(told["stats"]["node-stats"]) == {"stream0", "from1", "http_out2"}
    told = here.ask("PATCH", "/tasks/cpu", {"status": "disabled"}).told
    assert (told["status"], told["executing"], told["stats"], told["last-enabled"]) == ("disabled", False, {}, later)


def test_an_empty_patch_changes_nothing_but_the_date(here: TaskServer) -> None:
    before = here.define(status="enabled").told
    here.clock.time_ns += 1
    after = here.ask("PATCH", "/tasks/cpu", {"script": "", "dbrps": [], "vars": {}, "id": "", "status": ""}).told
    assert after == before | {"modified": after["modified"]}
    assert [task_id for task_id, _ in here.master.started] == ["cpu"]


def test_a_running_task_that_is_changed_runs_as_changed(here: TaskServer) -> None:
    here.define(status="enabled")
    told = here.ask("PATCH", "/tasks/cpu", {"script": CPU.replace("mean", "other")}).told
    assert (told["executing"], here.ask("GET", "/tasks/cpu/other").status) == (True, 200)
    assert here.ask("GET", "/tasks/cpu/mean").status == 404


def test_a_change_that_does_not_compile_leaves_the_task_running_as_it_was(here: TaskServer) -> None:
    here.define(status="enabled")
    got = here.ask("PATCH", "/tasks/cpu", {"script": "stream|nothing()", "status": "disabled"})
    assert (got.status, "line 1 char 8" in got.told["error"]) == (400, True)
    told = here.ask("GET", "/tasks/cpu").told
    assert (told["script"], told["status"], told["executing"]) == (CPU, "enabled", True)


def test_a_task_takes_another_id_and_runs_on_under_it(here: TaskServer) -> None:
    here.define(status="enabled")
    told = here.ask("PATCH", "/tasks/cpu", {"id": "processor"}).told
    assert (told["id"], told["link"]["href"], told["executing"]) == ("processor", "/kapacitor/v1/tasks/processor", True)
    assert (here.ids(), list(here.master.running)) == (["processor"], ["processor"])


def test_a_task_does_not_take_the_id_of_another_nor_one_that_is_none(here: TaskServer) -> None:
    here.define("cpu")
    here.define("mem")
    assert [here.ask("PATCH", "/tasks/cpu", {"id": each}).status for each in ("mem", "a b")] == [400, 400]
    assert here.ids() == ["cpu", "mem"]


def test_a_script_that_names_no_database_any_more_needs_one_beside_it(here: TaskServer) -> None:
    here.define(script=f'dbrp "a"."b"\n{CPU}', dbrps=None)
    assert here.ask("PATCH", "/tasks/cpu", {"script": CPU}).told == {"error": "must specify dbrp"}
    told = here.ask("PATCH", "/tasks/cpu", {"script": CPU, "dbrps": [{"db": "c", "rp": "d"}]}).told
    assert told["dbrps"] == [{"db": "c", "rp": "d"}]


def test_what_no_task_is_is_404_and_deleting_it_is_done(here: TaskServer) -> None:
    told = {"error": "no task exists"}
    asked = [here.ask("GET", "/tasks/no"), here.ask("PATCH", "/tasks/no", {}), here.ask("GET", "/tasks/no/mean")]
    assert [(each.status, each.told) for each in asked] == [(404, told)] * 3
    assert here.ask("DELETE", "/tasks/no").status == 204


def test_a_deleted_task_runs_no_more(here: TaskServer) -> None:
    here.define(status="enabled")
    got = here.ask("DELETE", "/tasks/cpu")
    assert (got.status, got.told, here.ids(), here.master.running) == (204, None, [], {})


def test_an_output_is_handed_on_byte_for_byte(here: TaskServer) -> None:
    here.define(status="enabled", script="stream|from()|httpOut('a/b')")
    here.master.outputs["cpu", "a/b"] = b'{"series":[{"name":"cpu"}]}'
    assert here.ask("GET", "/tasks/cpu/a/b").told == {"series": [{"name": "cpu"}]}
    got = here.ask("GET", "/tasks/cpu/a")
    assert (got.status, got.told["error"]) == (404, "task cpu has no endpoint a; there are a/b")


def test_an_output_that_json_cannot_say_is_500_with_the_reason(here: TaskServer) -> None:
    here.define(status="enabled")
    with patch.object(here.master, "get_output", side_effect=ProcessingError("json: unsupported value: +Inf")):
        got = here.ask("GET", "/tasks/cpu/mean")
    assert (got.status, got.told) == (500, {"error": "json: unsupported value: +Inf"})


def test_a_task_that_stopped_by_itself_says_why_and_runs_again_when_it_is_enabled(here: TaskServer) -> None:
    here.define(status="enabled")
    here.master.fail("cpu", "out of groups")
    told = here.ask("GET", "/tasks/cpu").told
    assert (told["status"], told["executing"], told["error"]) == ("enabled", False, "out of groups")
    told = here.ask("PATCH", "/tasks/cpu", {"status": "enabled"}).told
    assert (told["executing"], told["error"]) == (True, "")


def test_a_task_that_does_not_start_is_kept_with_its_error(here: TaskServer) -> None:
    got = here.define(status="enabled", script=CPU.replace("mean", "broken"))
    assert (got.status, got.told) == (500, {"error": "task cpu is kept but did not start: told not to start"})
    told = here.ask("GET", "/tasks/cpu").told
    assert (told["status"], told["executing"], told["error"]) == ("enabled", False, "told not to start")


def test_points_go_through_the_door_as_they_came(here: TaskServer) -> None:
    for path in ("/write", "/kapacitor/v1/write"):
        got = here.ask_at("POST", f"{path}?db=a&rp=&precision=s", b"cpu v=1\n", content_encoding="gzip")
        assert (got.status, got.headers["x-door"]) == (204, "points")
    assert here.written == [(b"cpu v=1\n", {"db": "a", "rp": "", "precision": "s"}, {"content-encoding": "gzip"})] * 2
    assert here.ask_at("OPTIONS", "/write").status == 204


@pytest.mark.parametrize("path", ["/templates", "/config", "/alerts/topics", "/service-tests", "/storage/backup"])
def test_what_kapacitor_has_beyond_is_named_as_missing(here: TaskServer, path: str) -> None:
    got = here.ask("GET", path)
    assert (got.status, "is no part of this server" in got.told["error"]) == (404, True)


@pytest.mark.parametrize(
    "path", ["/", "/kapacitor/v1", "/kapacitor/v1/", "/kapacitor/v1/tasks/", "/kapacitor/v1/tasks//x", "/tasks", "/x/y"]
)
def test_an_unknown_path_is_404_in_json(here: TaskServer, path: str) -> None:
    got = here.ask_at("GET", path)
    assert (got.status, list(got.told)) == (404, ["error"])


def test_a_wrong_method_is_told_the_right_ones(here: TaskServer) -> None:
    got = here.ask("PUT", "/tasks")
    assert (got.status, got.headers["allow"]) == (405, "GET, OPTIONS, POST")
    got = here.ask("OPTIONS", "/tasks/cpu")
    assert (got.status, got.headers["allow"]) == (204, "DELETE, GET, OPTIONS, PATCH")


def test_a_store_that_is_away_is_503_and_a_defect_is_500_and_logged(
    here: TaskServer, caplog: pytest.LogCaptureFixture
) -> None:
    away = StoreUnavailable("sqlite:///x", doing="listing the tasks", cause="disk")
    with patch.object(here.store, "every", side_effect=[away, ZeroDivisionError]):
        first, second = here.ask("GET", "/tasks"), here.ask("GET", "/tasks")
    assert (first.status, first.headers["retry-after"], "disk" in first.told["error"]) == (503, "1", True)
    assert (second.status, "defect" in second.told["error"], "ZeroDivisionError" in caplog.text) == (500, True, True)


def test_the_log_level_is_set_by_kapacitors_names(here: TaskServer) -> None:
    root = logging.getLogger()
    before = root.level
    try:
        assert here.ask("POST", "/loglevel", {"level": "DEBUG"}).status == 204
        assert root.level == logging.DEBUG
        assert here.ask("POST", "/loglevel", {"level": "loud"}).status == 400
        assert root.level == logging.DEBUG
    finally:
        root.setLevel(before)


def test_figures_tell_tasks_nodes_edges_topics_and_what_came_in(here: TaskServer) -> None:
    here.define("cpu", status="enabled", script="stream|from()|alert()|httpOut('x')")
    here.define("mem")
    here.ingress["db", "rp", "m"] = 3
    told = here.ask("GET", "/debug/vars").told
    assert (told["num_tasks"], told["num_enabled_tasks"], told["product"], told["version"]) == (
        2,
        1,
        "kapacitor",
        "1.5.9",
    )
    found = [(each["name"], each["tags"], each["values"]) for each in told["kapacitor"].values()]
    assert {(*tags.items(),)[-3:] for _, tags, _ in found} == {
        (("cluster_id", "cluster"), ("server_id", "server"), ("host", "here"))
    }
    assert [each[2] for each in found if each[0] == "ingress"] == [{"points_received": 3}]
    (received,) = (tags for name, tags, _ in found if name == "ingress")
    assert [received[each] for each in ("task_master", "database", "retention_policy", "measurement")] == [
        *("main", "db", "rp", "m")
    ]
    assert [
        (*(tags[each] for each in ("task", "parent", "child", "type")), values["collected"], values["emitted"])
        for name, tags, values in found
        if name == "edges"
    ] == [
        ("task_master:main", "write_points", "stream", "stream", 3, 3),
        ("cpu", "stream", "stream0", "stream", 0, 0),
        ("cpu", "stream0", "from1", "stream", 0, 0),
        ("cpu", "from1", "alert2", "stream", 0, 0),
        ("cpu", "alert2", "http_out3", "stream", 0, 0),
    ]
    assert [(tags["id"], values) for name, tags, values in found if name == "topics"] == [
        ("main:cpu:alert2", {"collected": 0})
    ]
    nodes = {tags["node"]: (tags["kind"], tags["task"], values) for name, tags, values in found if name == "nodes"}
    assert nodes["http_out3"] == ("http_out", "cpu", {"avg_exec_time_ns": "0s", "errors": 0, "working_cardinality": 0})
    assert here.ask_at("GET", "/debug/vars").told["kapacitor"] == told["kapacitor"]


def test_durations_are_written_as_go_writes_them() -> None:
    found = [go_duration(each) for each in (0, 438, 1800, 1_500_000, 2_000_000_000, 1000)]
    assert found == ["0s", "438ns", "1.8µs", "1.5ms", "2s", "1µs"]
