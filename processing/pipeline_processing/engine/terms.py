"""A task's folders, one for each term in which it was held: who holds it now writes where no earlier holder does.

In:      the folder of all terms, and the epoch of this one.
Out:     this term's folder, with the snapshot and the steps of the newest term before it; those of earlier terms are gone.
The steps are taken over first: a holder that was replaced and does not know it yet may put a newer snapshot in its place
meanwhile, which has seen all of them. What it writes after that is read by nobody.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline_processing.engine import snapshot_files
from pipeline_processing.engine.life import Files
from pipeline_processing.engine.snapshot_files import pack_of


def opened(folder: Path, epoch: int) -> Path:
    own = Files(folder=folder / str(epoch))
    own.folder.mkdir(parents=True, exist_ok=True)
    earlier = sorted(_earlier(folder, epoch))
    if not own.snapshot.exists():
        of_terms = (Files(folder=folder / str(each)) for each in reversed(earlier))
        before = next((each for each in of_terms if each.snapshot.exists()), None)
        if before:
            _take_over(before, own)
    for each in earlier:
        shutil.rmtree(folder / str(each), ignore_errors=True)
    return own.folder


def _earlier(folder: Path, epoch: int) -> Iterator[int]:
    for each in folder.iterdir():
        if each.name.isdigit() and int(each.name) < epoch:
            yield int(each.name)


def _take_over(before: Files, own: Files) -> None:
    """Of the files the snapshot comes last: without it there is nothing here."""
    if before.journal.exists():
        shutil.copyfile(before.journal, own.journal)
    while not _has_taken(before.snapshot, own.snapshot):
        pass  # who writes there still has put a newer one in its place


def _has_taken(before: Path, own: Path) -> bool:
    """The snapshot with its packs; false where those that it names are gone, as a newer one needs them no more."""
    written = before.read_bytes()
    found = snapshot_files.contents(written)
    for number in found.packs if found else ():
        try:
            _link(pack_of(before, number), pack_of(own, number))
        except FileNotFoundError:
            if before.read_bytes() != written:
                return False
    snapshot_files.replace(own, written)
    return True


def _link(before: Path, own: Path) -> None:
    try:
        os.link(before, own)
    except FileNotFoundError:
        raise
    except OSError:  # some file systems have no links, and it may be there already
        shutil.copyfile(before, own)
