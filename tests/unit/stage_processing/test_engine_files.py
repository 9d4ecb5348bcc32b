"""Snapshots and journals: what is read back is what was written whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pipeline_processing.engine import snapshot_files, snapshots
from pipeline_processing.engine.journal import Journal, StepTaken, Taken
from pipeline_processing.engine.snapshot_files import CHUNK_BYTES, PACKS_MAX, SnapshotFiles, pack_of, packs, read
from pipeline_processing.engine.snapshots import Pickled, Snapshot
from pipeline_processing.graph.forgetting import Silence
from pipeline_processing.points.keys import Group, Keys

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


COLUMN = np.arange(10 * CHUNK_BYTES // 8, dtype=np.int64)


def holding(*columns: np.ndarray, version: int = 3) -> Snapshot:
    """A task's, of which one node has these columns."""
    return replace(STATE, version=version, states={"mean2": list(columns)})


def write(path: Path, *snapshots: Snapshot) -> SnapshotFiles:
    """One after the other, as one process does."""
    files = SnapshotFiles(path)
    for each in snapshots:
        files.write(Pickled.of(each))
    return files


def columns(path: Path) -> list[list[int]]:
    found = read(path, version=3)
    assert found is not None
    return [each.tolist() for each in found.states["mean2"]]


def pack_sizes(path: Path) -> dict[int, int]:
    """In chunks."""
    return {number: pack_of(path, number).stat().st_size // CHUNK_BYTES for number in packs(path)}


def changed(column: np.ndarray, *chunks: int) -> np.ndarray:
    """One number of each of these chunks."""
    copy = column.copy()
    copy[[each * CHUNK_BYTES // 8 for each in chunks]] += 1
    return copy


def test_a_snapshot_is_read_as_it_was_written(path: Path) -> None:
    write(path, STATE)
    found = read(path, version=3)
    assert found is not None
    same = replace(found, keys=STATE.keys, silence=STATE.silence)
    assert (same == STATE, found.keys.groups, found.silence.series_left) == (True, STATE.keys.groups, 2)


def test_large_columns_come_back_and_can_be_written_to(path: Path) -> None:
    write(path, holding(COLUMN, np.ones(3), COLUMN[::2]))
    assert columns(path) == [COLUMN.tolist(), [1.0] * 3, COLUMN[::2].tolist()]
    found = read(path, version=3)
    assert found is not None
    found.states["mean2"][0][0] = 7
    assert found.states["mean2"][0][0] == 7


def test_many_keys_come_back(path: Path) -> None:
    keys = Keys()
    for number in range(25_000):
        keys.group_id(Group(tags=(("host", f"host{number}"),)))
    write(path, replace(STATE, keys=keys))
    found = read(path, version=3)
    assert found is not None
    assert (found.keys.groups, len(packs(path))) == (keys.groups, 1)


def test_a_snapshot_writes_the_chunks_that_have_changed_alone(path: Path) -> None:
    write(path, holding(COLUMN), holding(changed(COLUMN, 2, 7)))
    assert (pack_sizes(path), columns(path)) == ({1: 10, 2: 2}, [changed(COLUMN, 2, 7).tolist()])


def test_what_is_as_it_was_is_not_written(path: Path) -> None:
    write(path, holding(COLUMN), holding(COLUMN.copy()), holding(COLUMN, COLUMN))
    assert (pack_sizes(path), columns(path)) == ({1: 10}, [COLUMN.tolist()] * 2)


def test_a_pack_that_nobody_needs_is_deleted(path: Path) -> None:
    write(path, holding(COLUMN), holding(COLUMN + 1), holding(changed(COLUMN + 1, 0)))
    assert pack_sizes(path) == {2: 10, 3: 1}


def test_packs_hold_no_more_than_twice_what_is_used(path: Path) -> None:
    files, column = SnapshotFiles(path), COLUMN
    for number in range(40):
        column = changed(column, number % 9)  # the tenth keeps the first pack
        files.write(Pickled.of(holding(column)))
        assert sum(pack_sizes(path).values()) <= 2 * 10 + 1
    assert columns(path) == [column.tolist()]


def test_packs_do_not_become_many(path: Path) -> None:
    files, column = SnapshotFiles(path), np.zeros(200 * CHUNK_BYTES // 8, dtype=np.int64)
    for number in range(PACKS_MAX + 10):
        column = changed(column, number)
        files.write(Pickled.of(holding(column)))
        assert len(packs(path)) <= PACKS_MAX + 1
    assert columns(path) == [column.tolist()]


def test_another_process_goes_on_and_deletes_what_it_does_not_need(path: Path) -> None:
    write(path, holding(COLUMN), holding(changed(COLUMN, 1)))
    write(path, holding(changed(COLUMN, 1, 2)))
    assert (pack_sizes(path), columns(path)) == ({3: 10}, [changed(COLUMN, 1, 2).tolist()])


def test_a_large_body_goes_into_packs_too(path: Path) -> None:
    states = {f"node{number}": [float(number)] for number in range(20_000)}
    write(path, replace(STATE, states=states))
    found = read(path, version=3)
    assert found is not None
    assert (found.states, path.stat().st_size < CHUNK_BYTES) == (states, True)


def test_a_kill_between_the_pack_and_its_contents_leaves_the_snapshot_before(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write(path, holding(COLUMN))
    with monkeypatch.context() as killed:
        killed.setattr(snapshot_files, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            files.write(Pickled.of(holding(COLUMN + 1)))
    assert columns(path) == [COLUMN.tolist()]
    write(path, holding(COLUMN + 2))
    assert (columns(path), len(packs(path))) == ([(COLUMN + 2).tolist()], 1)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_snapshot_of_another_definition_is_none(path: Path) -> None:
    write(path, STATE)
    assert read(path, version=4) is None


@pytest.mark.parametrize("damage", [lambda body: body[:-1], lambda body: body[:9] + b"?" + body[10:], lambda body: b""])
@pytest.mark.parametrize("end", ["", ".1"])
def test_a_damaged_snapshot_is_none(path: Path, damage: Callable[[bytes], bytes], end: str) -> None:
    write(path, holding(~COLUMN))  # that ends with a byte which is not 0
    damaged = path.with_name(path.name + end)
    damaged.write_bytes(damage(damaged.read_bytes()))
    assert read(path, version=3) is None


def test_where_there_is_no_snapshot_there_is_none(path: Path) -> None:
    assert read(path, version=3) is None


def test_in_one_piece_it_is_the_same() -> None:
    found = snapshots.of_bytes(snapshots.to_bytes(holding(COLUMN)))
    assert found is not None
    assert found.states["mean2"][0].tolist() == COLUMN.tolist()
