"""What a task master gives its tasks."""

from __future__ import annotations

import pytest
from pipeline_processing.alerts.deadman import Deadman, Rate
from pipeline_processing.alerts.event import Place
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.tasks.rehearsal import definition_of, rehearsed
from pipeline_processing.tasks.task_master import ScriptError, TaskDefinition
from pipeline_queue.recordings.lines import blocks_of_lines

DBRP = ("db", "rp")
WHO = """
stream
    |from().measurement('cpu')
    |alert().crit(lambda: TRUE).id('{{ with .ServerInfo }}{{ .Hostname }} {{ .ClusterID }} {{ .ServerID }}{{ end }}')
"""


def test_templates_know_the_server_in_a_replay_too() -> None:
    master = TaskMaster(server=Place(hostname="here", cluster_id="c", server_id="s"))
    blocks = blocks_of_lines("cpu v=1 1\n", DBRP, "s")
    told = rehearsed(definition_of("t", WHO, [DBRP]), blocks, master.new()).alerts("t")
    assert told[0].event.id == "here c s"
    assert told[0].event.place == Place(task="t", node="alert2", hostname="here", cluster_id="c", server_id="s")


def master_that_watches() -> TaskMaster:
    rate = Rate(threshold=1.5, interval_ns=2_000_000_000)
    return TaskMaster(deadman=Deadman(id="NODE_NAME of {{ .TaskName }}", message="none in INTERVAL", everywhere=rate))


def test_a_server_may_watch_every_task_and_says_what_it_is_told_to() -> None:
    lines = "cpu v=1 0\ncpu v=1 1\ncpu v=1 2\ncpu v=1 9\n"
    script = "stream|from().measurement('cpu')|httpOut('o')"
    master = rehearsed(
        definition_of("t", script, [DBRP]), blocks_of_lines(lines, DBRP, "s"), master_that_watches().new()
    )
    dead = [each.event for each in master.alerts("t") if each.event.level]
    assert {(each.place.node, each.id, each.message) for each in dead} == {("alert5", "stream0 of t", "none in 2s")}
    assert [each for each in master.edges("t") if each[0] == "stream0"] == [
        ("stream0", "from1", "stream", 4),
        ("stream0", "stats3", "stream", 4),
    ]


def test_what_a_script_says_of_its_own_watch_goes_before_what_the_server_says() -> None:
    script = "stream|from()|deadman(0.0, 1s).id('mine')"
    (_, own, every) = [
        each
        for each in master_that_watches().new_task(definition_of("t", script, [DBRP])).task.graph.nodes
        if each.name in {"from1", "alert4", "alert7"}
    ]
    assert (own.operator.id, own.operator.message) == ("mine", "none in 1s")
    assert (every.operator.id, every.operator.message) == ("stream0 of {{ .TaskName }}", "none in 2s")


def test_batches_are_not_watched_and_a_script_without_nodes_is_refused_still() -> None:
    master = master_that_watches()
    batch = TaskDefinition(id="b", type="batch", script="batch|query('select 1')|httpOut('o')", dbrps=(DBRP,))
    assert "stats" not in master.new_task(batch).dot()
    with pytest.raises(ScriptError, match="makes no node"):
        master.new_task(TaskDefinition(id="t", type="stream", script="var x = 1", dbrps=(DBRP,)))
