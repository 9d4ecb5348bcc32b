"""The server's own figures, as points that its tasks read."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from pipeline_output.handlers.outcomes import NONE, Figures
from pipeline_output.state import open_definitions
from pipeline_processing.engine.ingress import Ingress
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.points.reading import Reader
from pipeline_processing.tasks.own_figures import Figure, Identity, OwnFigures
from pipeline_processing.tasks.own_points import OwnPoints, lines
from pipeline_processing.tasks.rehearsal import definition_of, rehearsed
from pipeline_queue.clock import ManualClock
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.recordings.lines import blocks_of_lines
from tasks_at_hand import TaskServer
from waiting import PATIENCE_S, until

OF_CPU = """
stream
    |from().measurement('ingress').where(lambda: "measurement" == 'cpu')
    |alert().crit(lambda: "points_received" > 2)
"""
WATCH = """
stream
    |from().measurement('nodes').where(lambda: "node" == 'from1').groupBy('task')
    |httpOut('errors')
"""


@pytest.fixture
def here(tmp_path) -> Iterator[TaskServer]:
    store = open_definitions(f"sqlite://{tmp_path}")
    yield TaskServer(store)
    store.close()


def written(here: TaskServer) -> str:
    own = OwnPoints(here.figures, here.app._door, ManualClock(7), interval_s=1.0)
    own.write()
    (body, query, _) = here.written[-1]
    assert query == {"db": "_kapacitor", "rp": "autogen", "precision": "n"}
    return body.decode()


def test_each_figure_is_a_point_of_its_name_with_who_says_so(here: TaskServer) -> None:
    here.define("cpu", status="enabled")
    here.ingress["telegraf", "autogen", "cpu"] = 3
    told = written(here)
    assert (
        "ingress,cluster_id=cluster,database=telegraf,host=here,measurement=cpu,retention_policy=autogen,"
        "server_id=server,task_master=main points_received=3i 7\n"
    ) in told
    assert "kapacitor,cluster_id=cluster,host=here,server_id=server num_enabled_tasks=1i," in told
    names = {each.partition(",")[0] for each in told.splitlines()}
    assert names == {"ingress", "edges", "nodes", "kapacitor", "runtime"}


def test_figures_are_written_again_and_again_until_the_end(here: TaskServer) -> None:
    own = OwnPoints(here.figures, here.app._door, ManualClock(7), interval_s=0.001)
    own.start()
    assert until(lambda: len(here.written) >= 3, PATIENCE_S, pause_s=0.001)
    own.stop()
    assert until(lambda: not own._thread.is_alive(), PATIENCE_S, pause_s=0.001)


def test_the_door_takes_every_line(here: TaskServer) -> None:
    here.define("größe", status="enabled")
    here.ingress["a b", "c,d", "e=f"] = 3
    parsed = Parser().parse(written(here).encode(), now_ns=0)
    assert (list(parsed.bad), sum(len(each) for each in parsed.batches)) == ([], len(written(here).splitlines()))


def test_what_line_protocol_cannot_say_is_left_out_alone() -> None:
    figures = [
        Figure(name="a", tags={"b": "ends\\"}, values={"n": 1}),
        Figure(name="a", tags={"b": "two\nlines"}, values={"n": 1}),
        Figure(name="a", tags={"b": "", "c": "d"}, values={"n": 2}),
    ]
    assert lines(figures, 5) == b"a,c=d n=2i 5\n"


def test_a_task_alerts_on_the_server_itself(here: TaskServer) -> None:
    here.define("cpu", status="enabled")
    place = ("_kapacitor", "autogen")
    blocks = []
    for count in (2, 3):
        here.ingress["telegraf", "autogen", "cpu"] = count
        blocks.extend(blocks_of_lines(written(here), place, "n"))
    master = rehearsed(definition_of("watch", OF_CPU, [place]), blocks)
    assert master.stats("watch")["node-stats"]["alert2"]["crits_triggered"] == 1
    master = rehearsed(definition_of("nodes", WATCH, [place]), blocks)
    (series,) = json.loads(master.get_output("nodes", "errors"))["series"]
    assert (series["tags"]["task"], series["columns"]) == (
        "cpu",
        ["time", "avg_exec_time_ns", "errors", "working_cardinality"],
    )


def test_what_the_door_refuses_is_told_and_nothing_else_happens(
    here: TaskServer, caplog: pytest.LogCaptureFixture
) -> None:
    own = OwnPoints(here.figures, lambda *_: (503, [], b"away"), ManualClock(7), interval_s=1.0)
    with caplog.at_level(logging.WARNING):
        own.write()
    assert "own figures were not taken: 503 away" in caplog.text


def test_points_are_counted_by_measurement_over_all_blocks() -> None:
    ingress, reader = Ingress(), Reader()
    for text in ("cpu,host=a v=1 1\nmem v=1 1\ncpu,host=b v=1 1\n", "cpu,host=a v=2 2\n"):
        for block in blocks_of_lines(text, ("db", "rp"), "n"):
            ingress.count(reader.of_batch(block.database, block.retention_policy, block.batch))
    assert ingress.counts() == {("db", "rp", "cpu"): 3, ("db", "rp", "mem"): 1}


def test_edges_and_topics_have_what_went_over_them() -> None:
    script = "stream|from().measurement('cpu')|alert().crit(lambda: \"v\" > 1).log('/a').topic('t')|httpOut('o')"
    blocks = blocks_of_lines("cpu v=1 1\ncpu v=2 2\nmem v=3 3\n", ("a", "b"), "s")
    master: TaskMaster = rehearsed(definition_of("x", script, [("a", "b")]), blocks)
    assert master.edges("x") == [
        ("stream", "stream0", "stream", 3),
        ("stream0", "from1", "stream", 3),
        ("from1", "alert2", "stream", 2),
        ("alert2", "http_out3", "stream", 1),
    ]
    assert master.topics("x") == {"main:x:alert2": 1, "t": 1}


def test_figures_of_the_whole_say_how_many_tasks_there_are(here: TaskServer) -> None:
    here.define("cpu", status="enabled")
    here.define("mem")
    figures = OwnFigures(here.registry, Identity(host="h", server_id="s", cluster_id="c"), dict, lambda: NONE)
    whole, runtime = figures.of_the_whole()
    assert (whole.name, whole.values) == (
        "kapacitor",
        {"num_enabled_tasks": 1, "num_subscriptions": 0, "num_tasks": 2},
    )
    assert (runtime.name, runtime.values["sys_bytes"] > 0) == ("runtime", True)


def test_what_became_of_alerts_is_told_by_handler(here: TaskServer) -> None:
    counts = {"delivered": {"log": 3}, "retried": {}, "refused": {"post": 1}, "repeated": {}, "pending": {"post": 2}}
    identity = Identity(host="h", server_id="s", cluster_id="c")
    told = OwnFigures(here.registry, identity, dict, lambda: Figures(**counts)).of_parts()
    handlers = {each.tags["handler"]: each.values for each in told if each.name == "handlers"}
    assert handlers == {
        "log": {"delivered": 3, "retried": 0, "refused": 0, "repeated": 0, "pending": 0},
        "post": {"delivered": 0, "retried": 0, "refused": 1, "repeated": 0, "pending": 2},
    }
