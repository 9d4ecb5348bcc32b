"""Alerts that hold back others: in one task, and over tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest
from pipeline_processing.engine.inhibitions import Inhibitions
from pipeline_processing.engine.live import Live
from pipeline_processing.engine.posting import Reach
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.engine.world import World
from pipeline_processing.points.reading import Reader
from pipeline_processing.tasks.rehearsal import definition_of, rehearsed
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.brokers.memory import MemoryBroker, MemoryLog
from pipeline_queue.catalog import topics
from pipeline_queue.codec import decode
from pipeline_queue.points.block import Origin, messages
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.recordings.lines import blocks_of_lines
from pipeline_queue.topics import ALERTS, POINTS
from waiting import PATIENCE_S, until

HOST = "stream|from().measurement('host').groupBy('host')|alert().id('{{ .Group }}').crit(lambda: \"v\" > 5).inhibit('system', 'host')"
CPU = "stream|from().measurement('cpu').groupBy('host', 'cpu')|alert().id('{{ .Group }}').crit(lambda: \"v\" > 5).category('system')"


def told(script: str, text: str, *, blocks: int = 1) -> list[tuple[str, int, int]]:
    """Id, level and time of each alert; the lines come in so many blocks or more."""
    lines = text.splitlines(keepends=True)
    size = -(-len(lines) // blocks)
    parts = ["".join(lines[at : at + size]) for at in range(0, len(lines), size)]
    given = [block for part in parts for block in blocks_of_lines(part, ("db", "rp"), "n")]
    master = rehearsed(definition_of("t", script, [("db", "rp")]), given)
    counts = [each for each in master.stats("t")["node-stats"].values() if "alerts_inhibited" in each]
    found = [(each.event.id, each.event.level, each.event.time_ns) for each in master.alerts("t")]
    assert sum(each["alerts_triggered"] for each in counts) == len(found)
    assert all(
        each["alerts_triggered"] == sum(each[f"{level}s_triggered"] for level in ("ok", "info", "warn", "crit"))
        for each in counts
    )
    return [*found, ("inhibited", sum(each["alerts_inhibited"] for each in counts), 0)]


POINTS_OF_TWO = """cpu,host=a,cpu=0 v=9 1
host,host=a v=9 2
cpu,host=a,cpu=0 v=9 3
cpu,host=b,cpu=0 v=9 4
cpu,host=a,cpu=1 v=9 5
host,host=a v=1 6
cpu,host=a,cpu=0 v=9 7
"""
TOLD_OF_TWO = [
    ("cpu=0,host=a", 3, 1),
    ("host=a", 3, 2),
    ("cpu=0,host=b", 3, 4),
    ("host=a", 0, 6),
    ("cpu=0,host=a", 3, 7),
    ("inhibited", 2, 0),
]


@pytest.mark.parametrize("blocks", [1, 2, 7])
@pytest.mark.parametrize("script", [f"{HOST}\n{CPU}", f"{CPU}\n{HOST}"])
def test_events_with_equal_tags_are_held_back_from_when_the_other_begins_until_it_ends(
    script: str, blocks: int
) -> None:
    assert told(script, POINTS_OF_TWO, blocks=blocks) == TOLD_OF_TWO


def test_other_categories_and_none_are_told() -> None:
    script = "\n".join([HOST, CPU.replace("system", "other"), CPU.replace(".category('system')", "")])
    text = "host,host=a v=9 1\ncpu,host=a,cpu=0 v=9 2\n"
    assert told(script, text) == [("host=a", 3, 1), *[("cpu=0,host=a", 3, 2)] * 2, ("inhibited", 0, 0)]


def test_without_tags_a_category_is_held_back_as_a_whole_until_no_group_holds_it() -> None:
    script = f"{HOST.replace(', ' + chr(39) + 'host' + chr(39) + ')', ')')}\n{CPU}"
    assert ".inhibit('system')" in script
    text = "host,host=a v=9 1\nhost,host=b v=9 2\nhost,host=a v=1 3\ncpu,host=c,cpu=0 v=9 4\nhost,host=b v=1 5\ncpu,host=c,cpu=0 v=9 6\n"
    assert [each for each in told(script, text) if "cpu" in each[0]] == [("cpu=0,host=c", 3, 6)]


class Engine:
    """Two tasks of one process; one holds back what the other tells."""

    def __init__(self, folder: Path, log: MemoryLog) -> None:
        self.broker = lambda: MemoryBroker(log)
        self.inhibitions = Inhibitions()
        self.live = Live(
            open_broker=self.broker,
            folder=folder,
            reader=Reader(),
            open_outlets=lambda definition: World(
                definition, open_broker=self.broker, reach=Reach(allowed=lambda _: False), inhibitions=self.inhibitions
            ),
            snapshot_interval_s=3600.0,
        )
        self.master = TaskMaster(self.live)

    def start(self, task_id: str, script: str) -> None:
        definition = TaskDefinition(id=task_id, type="stream", script=script, dbrps=(("db", "rp"),), version=1)
        self.master.start_task(self.master.new_task(definition))

    def write(self, line: str) -> None:
        (batch,) = Parser().parse(line.encode(), now_ns=0).batches
        self.broker().publish(POINTS.name, list(messages(Origin("db", "rp"), batch)))

    def counts(self, task_id: str) -> tuple[int, int]:
        """Of its alert: told, and held back."""
        (found,) = (each for each in self.master.stats(task_id)["node-stats"].values() if "alerts_inhibited" in each)
        return found["alerts_triggered"], found["alerts_inhibited"]

    def alerts(self) -> list[str]:
        records = self.broker().read(ALERTS.name, self.broker().begin_offsets(ALERTS.name))
        return [f"{each.alert_id} {each.level}" for record in records for each in decode(ALERTS, record).events]

    def close(self) -> None:
        self.master.close()
        self.live.close()


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog()
    MemoryBroker(log).create(topics().values())
    return log


@pytest.fixture
def engine(tmp_path: Path, log: MemoryLog) -> Iterator[Engine]:
    engine = Engine(tmp_path / "first", log)
    engine.start("host", HOST)
    engine.start("cpu", CPU)
    yield engine
    engine.close()


def comes(engine: Engine, task_id: str, *counts: int) -> bool:
    return until(lambda: engine.counts(task_id) == counts, PATIENCE_S, pause_s=0.01)


def is_held_back(engine: Engine) -> bool:
    """What `cpu` would tell: the other task has counted its alert before that."""
    return until(lambda: bool(engine.inhibitions.of_others("cpu")), PATIENCE_S, pause_s=0.01)


def is_free(engine: Engine) -> bool:
    return until(lambda: not engine.inhibitions.of_others("cpu"), PATIENCE_S, pause_s=0.01)


def tells(engine: Engine, *alerts: str) -> bool:
    return until(lambda: engine.alerts() == list(alerts), PATIENCE_S, pause_s=0.01)


def test_an_alert_holds_back_those_of_another_task_until_it_is_over(engine: Engine) -> None:
    engine.write("host,host=a v=9 1\n")
    assert comes(engine, "host", 1, 0)
    assert is_held_back(engine)
    engine.write("cpu,host=a,cpu=0 v=9 2\n")
    assert comes(engine, "cpu", 0, 1)
    engine.write("host,host=a v=1 3\n")
    assert comes(engine, "host", 2, 0)
    assert is_free(engine)
    assert tells(engine, "host=a CRITICAL", "host=a OK")
    engine.write("cpu,host=a,cpu=0 v=9 4\n")
    assert comes(engine, "cpu", 1, 1)
    assert tells(engine, "host=a CRITICAL", "host=a OK", "cpu=0,host=a CRITICAL")


def test_a_task_that_ends_holds_nothing_back(engine: Engine) -> None:
    engine.write("host,host=a v=9 1\n")
    assert is_held_back(engine)
    engine.master.stop_task("host")
    engine.write("cpu,host=a,cpu=0 v=9 2\n")
    assert tells(engine, "host=a CRITICAL", "cpu=0,host=a CRITICAL")
    assert engine.counts("cpu") == (1, 0)


def test_what_was_held_back_before_a_crash_is_not_told_after_it(engine: Engine, tmp_path: Path, log: MemoryLog) -> None:
    engine.write("host,host=a v=9 1\n")
    assert comes(engine, "host", 1, 0)
    assert is_held_back(engine)
    engine.write("cpu,host=a,cpu=0 v=9 2\n")
    assert comes(engine, "cpu", 0, 1)
    copytree(tmp_path / "first", tmp_path / "second")
    engine.close()
    with closing(Engine(tmp_path / "second", log)) as second:
        second.start("cpu", CPU)
        assert comes(second, "cpu", 0, 1)
        second.start("host", HOST)
        assert comes(second, "host", 1, 0)
        assert is_held_back(second)
        second.write("cpu,host=a,cpu=0 v=9 3\n")
        assert comes(second, "cpu", 0, 2)
    assert second.alerts() == ["host=a CRITICAL"]
