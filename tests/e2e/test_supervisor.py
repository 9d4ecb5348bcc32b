"""The supervisor over one child that has an end: done when it ends well, revived when it does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pipeline_cli import supervisor
from pipeline_cli.supervisor import Supervisor
from pipeline_queue.brokers import open_broker
from running_demo import free_port
from waiting import PATIENCE_S, until

CENSUS = {"input-census": supervisor.SERVICES["input-census"]}
FOR_EVER = ["topics", "tail", "-f", "monitoring"]


@pytest.fixture
def only_census(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setattr(supervisor, "SERVICES", CENSUS)
    started = Supervisor(tmp_path, port=free_port(), events_port=free_port(), tasks_port=free_port())
    yield started
    started.stop()


def blocks(folder: Path) -> list[int]:
    """How many records each topic of the census has."""
    with closing(open_broker(f"sqlite://{folder}/queue")) as broker:
        return [sum(broker.end_offsets(f"census-{name}").values()) for name in ("population", "income")]


def test_a_child_that_has_done_its_work_is_no_dead_one_and_is_not_started_again(
    only_census: Supervisor, tmp_path: Path
) -> None:
    only_census.start(CENSUS)
    found_dead: list[tuple[str, int]] = []
    assert until(lambda: found_dead.extend(only_census.revive()) or not only_census._children, PATIENCE_S)
    found_dead.extend(only_census.revive())
    assert (found_dead, blocks(tmp_path), (tmp_path / "logs/input-census.log").read_text()) == ([], [9, 2], "")


def test_a_child_that_was_killed_before_its_end_is_started_again_and_does_the_rest(
    only_census: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as at_first:
        at_first.setitem(CENSUS, "input-census", FOR_EVER)  # or it could end before it is killed
        only_census.start(CENSUS)
    only_census._children["input-census"].process.kill()
    found_dead: list[tuple[str, int]] = []
    assert until(lambda: found_dead.extend(only_census.revive()) or not only_census._children, PATIENCE_S)
    assert (found_dead, blocks(tmp_path)) == ([("input-census", -9)], [9, 2])
