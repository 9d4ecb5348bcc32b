"""When a task that runs writes what it knows: here it is due at each round of its thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pipeline_processing.engine import life
from pipeline_processing.engine.life import Files
from pipeline_processing.engine.outlets import Kept
from pipeline_processing.engine.snapshot_files import read
from pipeline_processing.engine.snapshots import Snapshot
from pipeline_processing.engine.source import DirectSource
from pipeline_processing.engine.task import Task
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_queue.points.line_protocol import Parser
from waiting import PATIENCE_S, until

TASK = TaskDefinition(id="t", type="stream", script="stream|from()|httpOut('out')", dbrps=(("d", "r"),))


@dataclass
class Here:
    """What one task lives on."""

    folder: Path
    fed: DirectSource = field(default_factory=DirectSource)
    kept: Kept = field(default_factory=Kept)

    def check(self, _task: Task) -> None:
        pass

    def source(self, _definition: TaskDefinition, _after: Snapshot | None) -> DirectSource:
        return self.fed

    def outlets(self, _definition: TaskDefinition) -> Kept:
        return self.kept

    def files(self, _definition: TaskDefinition) -> Files:
        return Files(folder=self.folder, snapshot_interval_s=0.0)

    @property
    def path(self) -> Path:
        return self.files(TASK).snapshot

    def begin(self) -> TaskMaster:
        master = TaskMaster(self)
        master.start_task(master.new_task(TASK))
        return master


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


@pytest.fixture
def master(here: Here) -> Iterator[TaskMaster]:
    begun = here.begin()
    yield begun
    begun.close()


def written(here: Here, master: TaskMaster) -> tuple[int, int]:
    """Which file it is, after a whole round: the first answer may come from one that had begun."""
    for _ in range(2):
        assert master.snapshot_task("t")
    found = here.path.stat()
    return found.st_ino, found.st_mtime_ns


def rows(here: Here) -> int:
    found = read(here.path, version=0)
    return found.rows if found else -1


def test_a_task_that_takes_no_step_writes_no_snapshot_and_one_that_does_writes_it(
    here: Here, master: TaskMaster
) -> None:
    before = written(here, master)
    assert [written(here, master) for _ in range(3)] == [before] * 3
    master.write_points("d", "r", Parser().parse(b"m v=1 1\n", now_ns=0).batches)
    assert until(lambda: rows(here) == 1, PATIENCE_S, pause_s=0.01)


def test_while_something_is_on_its_way_snapshots_are_written(here: Here, master: TaskMaster) -> None:
    here.kept.holds = True
    before = written(here, master)
    assert written(here, master) != before


def test_the_snapshot_of_a_task_that_stands_still_does_not_grow_old(
    here: Here, master: TaskMaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(here, master)
    monkeypatch.setattr(life, "STILL_S_MAX", 0.0)
    assert written(here, master) != before
