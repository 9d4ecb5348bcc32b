"""Tasks written in Python."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from pipeline_processing.chains import STAR, node, predicate, script, stream
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.tasks.task_master import ScriptError, TaskDefinition
from pipeline_queue.points.line_protocol import Parser

ROOT = Path(__file__).parents[3]
SECOND = timedelta(seconds=1)


def defined(text: str) -> TaskDefinition:
    return TaskDefinition(id="t", type="stream", script=text, dbrps=())


def cpu_task() -> str:
    cpu = stream | node.from_().measurement("cpu").groupBy("host")
    mean = cpu | node.window().period(10 * SECOND).every(10 * SECOND) | node.mean("usage").as_("usage")
    return script(
        mean | node.httpOut("mean"),
        mean | node.alert().crit(predicate('"usage" > 90.0')).id('{{ index .Tags "host" }}').stateChangesOnly(),
        dbrps=[("telegraf", "autogen")],
    )


def test_what_chains_share_is_a_variable_and_one_node() -> None:
    assert (
        cpu_task()
        == """dbrp "telegraf"."autogen"

var mean0 = stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |window()
        .period(10s)
        .every(10s)
    |mean('usage')
        .as('usage')

mean0
    |httpOut('mean')

mean0
    |alert()
        .crit(lambda: "usage" > 90.0)
        .id('{{ index .Tags "host" }}')
        .stateChangesOnly()
"""
    )


def test_a_task_written_in_python_runs() -> None:
    master = TaskMaster()
    master.start_task(master.new_task(defined(cpu_task())))
    lines = b"cpu,host=a usage=80 0\ncpu,host=a usage=90 5000000000\ncpu,host=a usage=1 10000000000\n"
    take = master.stream("telegraf", "autogen")
    take(Parser().parse(lines, now_ns=0).batches)
    master.drain()
    (series,) = json.loads(master.get_output("t", "mean"))["series"]
    assert series["values"] == [["1970-01-01T00:00:10Z", 85.0]]


def test_chains_are_joined_by_their_names() -> None:
    points = stream | node.from_().groupBy(STAR)
    errors, views = (points | node.where(predicate(f"\"page\" == '{each}'")) for each in ("errors", "views"))
    text = script(errors | node.join(views).as_("errors", "views").tolerance(5 * SECOND) | node.httpOut("rate"))
    assert text.count("|from()") == 1
    assert ".groupBy(*)" in text
    assert "|join(where" in text
    TaskMaster().new_task(defined(text))


def test_what_no_node_takes_is_refused_where_it_is_written_and_the_rest_where_it_is_compiled() -> None:
    with pytest.raises(TypeError, match="nothing that a node takes"):
        script(stream | node.from_().measurement(None))
    text = script(stream | node.from_() | node.window().perid(SECOND))
    with pytest.raises(ScriptError, match=r'line 4 char \d+: no property "perid" on window; did you mean "period"\?'):
        TaskMaster().new_task(defined(text))


def test_what_the_documentation_shows_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "tasks-testing.md").read_text(), re.DOTALL)
    exec(compile(example, "docs/tasks-testing.md", "exec"), {})
    assert json.loads(capsys.readouterr().out)["series"][0]["values"] == [["1970-01-01T00:00:10Z", 85]]
