"""A task's folders: who holds it now has what the one before kept, and is not disturbed by what that one still writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_processing.engine import snapshots, terms
from pipeline_processing.engine.life import Files
from pipeline_processing.engine.snapshots import FolderGone


def kept(folder: Path, snapshot: bytes, journal: bytes = b"") -> None:
    files = Files(folder=folder)
    snapshots.write(files.snapshot, snapshot)
    files.journal.write_bytes(journal)


def found(folder: Path) -> tuple[bytes | None, bytes | None]:
    files = Files(folder=folder)
    snapshot, journal = (each.read_bytes() if each.exists() else None for each in (files.snapshot, files.journal))
    return snapshot, journal


def test_the_first_holder_finds_nothing(tmp_path: Path) -> None:
    assert found(terms.opened(tmp_path / "task", 3)) == (None, None)


def test_a_holder_has_what_the_one_before_kept_and_earlier_folders_are_gone(tmp_path: Path) -> None:
    kept(terms.opened(tmp_path, 3), b"third", b"steps")
    assert found(terms.opened(tmp_path, 7)) == (b"third", b"steps")
    assert [each.name for each in tmp_path.iterdir()] == ["7"]


def test_a_holder_that_ended_before_it_had_anything_is_passed_over(tmp_path: Path) -> None:
    kept(terms.opened(tmp_path, 3), b"third")
    (tmp_path / "5").mkdir()
    Files(folder=tmp_path / "5").journal.write_bytes(b"half")
    assert found(terms.opened(tmp_path, 7)) == (b"third", b"")


def test_who_holds_it_on_finds_its_own(tmp_path: Path) -> None:
    kept(terms.opened(tmp_path, 3), b"third")
    kept(terms.opened(tmp_path, 7), b"seventh", b"more")
    assert found(terms.opened(tmp_path, 7)) == (b"seventh", b"more")


def test_a_number_of_more_digits_is_later(tmp_path: Path) -> None:
    kept(terms.opened(tmp_path, 9), b"ninth")
    assert found(terms.opened(tmp_path, 10)) == (b"ninth", b"")


def test_a_holder_that_was_replaced_writes_for_nobody_and_is_told_so(tmp_path: Path) -> None:
    before = Files(folder=terms.opened(tmp_path, 3))
    kept(before.folder, b"third")
    now = terms.opened(tmp_path, 7)
    with pytest.raises(FolderGone, match="another server holds"):
        snapshots.write(before.snapshot, b"zombie")
    assert found(now) == (b"third", b"")
