"""Snapshots and journals: what is read back is what was written whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pipeline_processing.engine import snapshots
from pipeline_processing.engine.journal import Journal, StepTaken, Taken
from pipeline_processing.engine.snapshots import Snapshot
from pipeline_processing.graph.forgetting import Silence
from pipeline_processing.points.keys import Keys

STEPS = [StepTaken(number=7, now_ns=1, taken=(Taken("points", 0, 3, 5),)), StepTaken(number=8, now_ns=2)]
STATE = Snapshot(
    version=3,
    steps=9,
    rows=4,
    positions={("points", 0): 5},
    keys=Keys(),
    states={"mean2": [1.5]},
    silence=Silence(series_left=2),
    outlets=None,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def test_a_journal_that_is_opened_again_has_its_steps_in_order(path: Path) -> None:
    first = Journal(path)
    for each in STEPS:
        first.append(each)
    assert list(Journal(path).steps()) == STEPS


def test_a_step_that_was_cut_off_is_dropped_and_the_next_one_is_whole(path: Path) -> None:
    Journal(path).append(STEPS[0])
    with path.open("ab") as file:
        file.write(b'{"number":8,"now')
    again = Journal(path)
    again.append(STEPS[1])
    assert list(again.steps()) == STEPS


def test_a_journal_that_is_cleared_is_empty_and_goes_on(path: Path) -> None:
    journal = Journal(path)
    journal.append(STEPS[0])
    journal.clear()
    journal.append(STEPS[1])
    assert list(journal.steps()) == STEPS[1:]


def test_a_snapshot_is_read_as_it_was_written(path: Path) -> None:
    snapshots.write(path, snapshots.to_bytes(STATE))
    found = snapshots.read(path, version=3)
    assert found is not None
    same = replace(found, keys=STATE.keys, silence=STATE.silence)
    assert (same == STATE, found.keys.groups, found.silence.series_left) == (True, STATE.keys.groups, 2)


def test_a_snapshot_of_another_definition_is_none(path: Path) -> None:
    snapshots.write(path, snapshots.to_bytes(STATE))
    assert snapshots.read(path, version=4) is None


@pytest.mark.parametrize("damage", [lambda body: body[:-1], lambda body: body[:9] + b"?" + body[10:], lambda body: b""])
def test_a_damaged_snapshot_is_none(path: Path, damage) -> None:
    path.write_bytes(damage(snapshots.to_bytes(STATE)))
    assert snapshots.read(path, version=3) is None


def test_where_there_is_no_snapshot_there_is_none(path: Path) -> None:
    assert snapshots.read(path, version=3) is None
