"""The pages of tasks and alerts: a task from the form to its alert, its graph, its script, its results, a replay.

The task engine is the real one, in a process of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from running_display import Display, await_true, await_width, displaying, opened
from running_engine import RunningEngine, running_engine
from waiting import PATIENCE_S, until

SHOTS = Path(__file__).parents[1] / "screenshots/out"
SCRIPT = """stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |httpOut('newest')
    |alert()
        .crit(lambda: "usage" > 90.0)
"""
BROKEN = "stream\n    |from()\n    |nosuch()\n"
ROW = "document.querySelector('#tasks tr[data-task=cpu]')"


@dataclass
class Site:
    engine: RunningEngine
    display: Display

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.display.port}{path}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the task API answers."""
        sent = b"" if body is None else json.dumps(body).encode()
        status, told = self.engine.ask(method, f"/kapacitor/v1{path}", sent)
        assert status < 300, told
        return json.loads(told)

    def write(self, usage: float) -> None:
        line = f"cpu,host=here usage={usage} {time.time_ns()}"
        assert self.engine.ask("POST", "/kapacitor/v1/write?db=telegraf&rp=autogen", line.encode()) == (204, b"")


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Both over one queue."""
    with running_engine(folder, {}) as engine, displaying(folder, TASKS_URL=engine.url) as display:
        yield Site(engine, display)
        print(engine.log())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path) as site:
        yield site


@pytest.fixture(scope="module")
def alerted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With a task that has alerted, for tests that only look."""
    with running_site(tmp_path_factory.mktemp("alerted")) as site:
        site.engine.define("cpu", SCRIPT)
        site.write(95.0)
        yield site


def type_task(page: Page, task_id: str, script: str) -> None:
    page.fill("[name=id]", task_id)
    page.fill("[name=dbrps]", "telegraf.autogen")
    page.fill("[name=script]", script)
    page.click("#define [type=submit]")


def state_is(page: Page, state: str) -> None:
    await_true(page, f"document.body.dataset.state === '{state}'")


def text_is(page: Page, selector: str, text: str) -> None:
    await_true(page, f"document.querySelector({json.dumps(selector)})?.textContent === {json.dumps(text)}")


def keep(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def test_a_task_is_defined_in_the_page_and_what_it_alerts_about_is_seen(site: Site, browser: Browser) -> None:
    with opened(browser, site.address("/tasks")) as page:
        state_is(page, "no-data")
        assert "no tasks yet" in page.inner_text("#state-text")
        type_task(page, "cpu", SCRIPT)
        await_true(page, f"{ROW}?.dataset.state === 'running'")
        text_is(page, "#define-said", "cpu is defined.")
        site.write(95.0)
        await_true(page, f"{ROW}.querySelector('[data-cell=collected]').textContent === '1'")
        keep(page, "tasks")
    alert = "document.querySelector('#states tr[data-level]')"
    with opened(browser, site.address("/alerts")) as page:
        await_true(page, f"{alert}?.dataset.level === 'CRITICAL'")
        cells = page.evaluate(f"[...{alert}.cells].map((cell) => cell.textContent)")
        assert [cells[0], cells[1], cells[4], cells[5]] == [
            "CRITICAL",
            "cpu:host=here",
            "cpu:host=here is CRITICAL",
            "cpu",
        ]
        site.write(10.0)
        await_true(page, f"{alert}.dataset.level === 'OK'")
        levels = "[...document.querySelectorAll('#history tbody tr')].map((row) => [...row.querySelectorAll('.level')].map((each) => each.textContent))"
        await_true(page, f"{levels}.length === 2")
        assert page.evaluate(levels) == [["OK", "CRITICAL"], ["CRITICAL", "OK"]]
        keep(page, "alerts")


def test_a_wrong_script_is_marked_at_its_line_and_defines_nothing(site: Site, browser: Browser) -> None:
    with opened(browser, site.address("/tasks")) as page:
        state_is(page, "no-data")
        type_task(page, "wrong", BROKEN)
        await_true(page, "document.querySelector('#editor').dataset.line === '3'")
        assert page.inner_text("#editor .gutter li.wrong") == ""  # its number is drawn, not written
        assert "nosuch" in page.inner_text("#editor .editor-note")
        assert "line 3 char 6" in page.inner_text("#script-error")
        assert site.ask("GET", "/tasks")["tasks"] == []
        page.fill("[name=script]", SCRIPT)
        assert page.get_attribute("#editor", "data-line") == ""


def test_a_task_shows_its_graph_and_results_and_takes_another_script(site: Site, browser: Browser) -> None:
    site.engine.define("cpu", SCRIPT)
    site.write(20.0)
    with opened(browser, site.address("/tasks/cpu")) as page:
        counts = "Object.fromEntries([...document.querySelectorAll('g.edge')].map((edge) => [edge.dataset.edge, edge.__data__.processed]))"
        expected = {"stream0 -> from1": 1, "from1 -> http_out2": 1, "http_out2 -> alert3": 1}
        await_true(page, f"JSON.stringify({counts}) === '{json.dumps(expected, separators=(',', ':'))}'")
        text_is(page, "#nodes tr[data-node=from1] td:nth-child(2)", "1")
        await_true(page, "document.querySelector('[data-endpoint=newest] tbody tr') !== null")
        site.write(30.0)
        line = "document.querySelector('[data-endpoint=newest] path.line')?.__data__.points.map((point) => point.usage)"
        await_true(page, f"JSON.stringify({line}) === '[20,30]'")
        keep(page, "task")
        page.fill("#edit [name=script]", BROKEN)
        page.click("#edit [type=submit]")
        await_true(page, "document.querySelector('#editor').dataset.line === '3'")
        page.fill("#edit [name=script]", SCRIPT.replace("newest", "other"))
        page.click("#edit [type=submit]")
        text_is(page, "#edit-said", "Saved.")
        await_true(page, "document.querySelector('[data-endpoint=other]') !== null", meanwhile=lambda: site.write(1))
        assert "other" in site.ask("GET", "/tasks/cpu")["script"]
        page.click("#toggle")
        text_is(page, "#status", "disabled")
        assert site.ask("GET", "/tasks/cpu")["status"] == "disabled"


def test_a_recording_is_replayed_and_its_results_are_shown(site: Site, browser: Browser) -> None:
    site.engine.define("cpu", SCRIPT)
    stop = datetime.now(UTC) + timedelta(hours=1)
    site.ask("POST", "/recordings/stream", {"id": "taken", "task": "cpu", "stop": stop.isoformat()})
    site.write(95.0)
    site.write(42.0)
    later = f"later v=1 {int(stop.timestamp()) + 1}"  # ends the recording
    assert site.engine.ask("POST", "/write?db=telegraf&rp=autogen&precision=s", later.encode()) == (204, b"")
    assert until(lambda: site.ask("GET", "/recordings/taken")["status"] == "finished", PATIENCE_S)
    with opened(browser, site.address("/tasks/cpu")) as page:
        await_true(page, "document.querySelector('[name=recording]').value === 'taken'")
        page.click("#replay [type=submit]")
        await_true(page, "document.querySelector('#replay-status').textContent.endsWith(': finished')")
        row = "document.querySelector('#replay-outputs tbody tr')"
        await_true(page, f"{row} !== null")
        assert "42" in page.evaluate(f"[...{row}.cells].map((cell) => cell.textContent)")
        told = "[...document.querySelectorAll('#replay-alerts tbody tr')].map((row) => row.cells[1].textContent).join()"
        await_true(page, f"{told} === 'CRITICAL,OK'")


def test_an_engine_that_is_away_is_said_with_the_command_that_starts_it(site: Site, browser: Browser) -> None:
    site.engine.define("cpu", SCRIPT)
    with opened(browser, site.address("/tasks")) as page:
        await_true(page, f"{ROW}?.dataset.state === 'running'")
        site.engine.stop()
        state_is(page, "stale")
        assert page.is_visible("#away")
        assert "does not answer" in page.inner_text("#state-text")
        assert page.inner_text("#starts").endswith("pipeline tasks")
        site.engine.start()
        state_is(page, "live")
        await_true(page, "document.querySelector('#away').hidden")
        page.once("dialog", lambda dialog: dialog.accept())
        page.click("#tasks tr[data-task=cpu] button.delete")
        state_is(page, "no-data")
        assert site.ask("GET", "/tasks")["tasks"] == []


def test_a_graph_is_laid_out_from_left_to_right_and_no_node_lies_on_another(alerted: Site, browser: Browser) -> None:
    dot = 'digraph x {\\ngraph [throughput="0.00 points/s"];\\nsource [errors="2" ];\\n' + "".join(
        f'{edge} [processed="7"];\\n'
        for edge in (
            "source -> a",
            "source -> b",
            "a -> c",
            "c -> joined",
            "b -> joined",
            "source -> joined",
            "other -> b",
        )
    )
    with opened(browser, alerted.address("/tasks")) as page:
        layout = page.evaluate(
            f"import('/static/graph_layout.js').then((module) => module.laidOut(module.readDot('{dot}}}')))"
        )
    at = {node["name"]: (node["x"], node["y"]) for node in layout["nodes"]}
    columns = sorted({x for x, _ in at.values()})
    assert {name: columns.index(x) for name, (x, _) in at.items()} == {
        **{"source": 0, "other": 0, "a": 1, "b": 1, "c": 2, "joined": 3}
    }
    apart = [
        abs(y - other_y)
        for name, (x, y) in at.items()
        for other, (other_x, other_y) in at.items()
        if name < other and x == other_x
    ]
    assert (min(apart) >= 58, [edge["processed"] for edge in layout["edges"]]) == (True, [7] * 7)
    inside = [
        0 <= x <= layout["width"] and 0 <= y <= layout["height"] for edge in layout["edges"] for x, y in edge["points"]
    ]
    assert (all(inside), layout["nodes"][0]["attributes"]) == (True, {"errors": "2"})


def test_what_people_type_is_read_as_databases_and_policies(alerted: Site, browser: Browser) -> None:
    typed = ["telegraf.autogen", '"my.db"."two weeks", a.b', "", "telegraf", 'a."b']
    with opened(browser, alerted.address("/tasks")) as page:
        read = page.evaluate(f"import('/static/dbrps.js').then((module) => {json.dumps(typed)}.map(module.readDbrps))")
    assert read == [
        [{"db": "telegraf", "rp": "autogen"}],
        [{"db": "my.db", "rp": "two weeks"}, {"db": "a", "rp": "b"}],
        *([], None, None),
    ]


@pytest.mark.parametrize("path", ["/tasks", "/tasks/cpu", "/alerts"])
def test_a_narrow_page_is_no_wider_than_its_window(alerted: Site, browser: Browser, path: str) -> None:
    with opened(browser, alerted.address(path), color_scheme="dark") as page:
        state_is(page, "live")
        page.set_viewport_size({"width": 390, "height": 800})
        await_width(page, 390)
        keep(page, f"narrow{path.replace('/', '-')}")


def test_what_is_not_there_is_said(site: Site, browser: Browser) -> None:
    with opened(browser, site.address("/alerts")) as page:
        state_is(page, "no-data")
        assert "No task has alerted yet" in page.inner_text("#state-text")
    with opened(browser, site.address("/tasks/nobody")) as page:
        text_is(page, "#state-text", "There is no task nobody.")
