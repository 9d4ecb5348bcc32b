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

from pipeline_processing.engine.life import Files


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
    """Of the two files the snapshot comes last: without it there is nothing here."""
    if before.journal.exists():
        shutil.copyfile(before.journal, own.journal)
    try:
        os.link(before.snapshot, own.snapshot)
    except OSError:  # some file systems have no links
        beside = own.snapshot.with_suffix(".new")
        shutil.copyfile(before.snapshot, beside)
        beside.replace(own.snapshot)
