"""A task's folders: who holds it now has what the one before kept, and is not disturbed by what that one still writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pipeline_processing.engine import snapshot_files, terms
from pipeline_processing.engine.life import Files
from pipeline_processing.engine.snapshot_files import FolderGone, SnapshotFiles, read
from pipeline_processing.engine.snapshots import Pickled, Snapshot
from pipeline_processing.graph.forgetting import Silence
from pipeline_processing.points.keys import Keys

STATE = Snapshot(
    version=0, steps=0, rows=0, positions={}, keys=Keys(), states={}, silence=Silence(series_left=0), outlets=None
)


def kept(folder: Path, what: str, journal: bytes = b"") -> SnapshotFiles:
    """A snapshot that has a pack."""
    files = Files(folder=folder)
    written = SnapshotFiles(files.snapshot)
    put(written, what)
    files.journal.write_bytes(journal)
    return written


def put(written: SnapshotFiles, what: str) -> None:
    written.write(Pickled.of(replace(STATE, states={"node": (what, np.frombuffer(what.encode() * 100_000, np.uint8))})))


def found(folder: Path) -> tuple[str | None, bytes | None]:
    files = Files(folder=folder)
    snapshot = read(files.snapshot, version=0)
    what, column = snapshot.states["node"] if snapshot else (None, None)
    if what is not None:
        assert column.tobytes() == what.encode() * 100_000
    return what, files.journal.read_bytes() if files.journal.exists() else None


def test_the_first_holder_finds_nothing(tmp_path: Path) -> None:
    assert found(terms.opened(tmp_path / "task", 3)) == (None, None)


def test_a_holder_has_what_the_one_before_kept_and_earlier_folders_are_gone(tmp_path: Path) -> None:
    kept(terms.opened(tmp_path, 3), "third", b"steps")
    assert found(terms.opened(tmp_path, 7)) == ("third", b"steps")
    assert [each.name for each in tmp_path.iterdir()] == ["7"]


def test_a_holder_that_ended_before_it_had_anything_is_passed_over(tmp_path: Path) -> None:
    kept(terms.opened(tmp_path, 3), "third")
    (tmp_path / "5").mkdir()
    Files(folder=tmp_path / "5").journal.write_bytes(b"half")
    assert found(terms.opened(tmp_path, 7)) == ("third", b"")


def test_who_holds_it_on_finds_its_own(tmp_path: Path) -> None:
    kept(terms.opened(tmp_path, 3), "third")
    kept(terms.opened(tmp_path, 7), "seventh", b"more")
    assert found(terms.opened(tmp_path, 7)) == ("seventh", b"more")


def test_a_number_of_more_digits_is_later(tmp_path: Path) -> None:
    kept(terms.opened(tmp_path, 9), "ninth")
    assert found(terms.opened(tmp_path, 10)) == ("ninth", b"")


def test_a_holder_that_was_replaced_writes_for_nobody_and_is_told_so(tmp_path: Path) -> None:
    before = kept(terms.opened(tmp_path, 3), "third")
    now = terms.opened(tmp_path, 7)
    with pytest.raises(FolderGone, match="another server holds"):
        put(before, "zombie")
    assert found(now) == ("third", b"")


def test_who_is_replaced_in_the_middle_of_a_takeover_leaves_a_whole_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kept(terms.opened(tmp_path, 3), "third")
    contents = snapshot_files.contents

    def newer_one_comes(written: bytes) -> snapshot_files.Contents | None:
        monkeypatch.setattr(snapshot_files, "contents", contents)
        put(before, "newer")
        return contents(written)

    monkeypatch.setattr(snapshot_files, "contents", newer_one_comes)
    assert found(terms.opened(tmp_path, 7)) == ("newer", b"")


def test_a_pack_that_is_lost_does_not_hold_up_the_next_holder(tmp_path: Path) -> None:
    kept(terms.opened(tmp_path, 3), "third", b"steps")
    snapshot_files.pack_of(Files(folder=tmp_path / "3").snapshot, 1).unlink()
    assert found(terms.opened(tmp_path, 7)) == (None, b"steps")


def test_where_files_cannot_be_linked_they_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(terms.opened(tmp_path, 3), "third")
    monkeypatch.setattr(terms.os, "link", refused)
    assert found(terms.opened(tmp_path, 7)) == ("third", b"")


def refused(*_: object) -> None:
    raise PermissionError
