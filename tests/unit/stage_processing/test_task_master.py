"""What a task master gives its tasks."""

from __future__ import annotations

from pipeline_processing.alerts.event import Place
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.tasks.rehearsal import alerts, definition_of, rehearsed
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
    told = list(alerts(rehearsed(definition_of("t", WHO, [DBRP]), blocks, master.new()), "t"))
    assert told[0].event.id == "here c s"
    assert told[0].event.place == Place(task="t", node="alert2", hostname="here", cluster_id="c", server_id="s")
