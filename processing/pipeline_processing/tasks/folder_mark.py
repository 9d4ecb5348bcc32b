"""What a folder is known by, wherever it is mounted: a name in a file of its own, made by who comes first."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

FILE = "folder-id"


def mark_of(folder: Path) -> str:
    """It is written beside, then put in its place unless another's is there already."""
    path = folder / FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f"{FILE}-{uuid.uuid4().hex}"
        beside.write_text(uuid.uuid4().hex)
        _place(beside, path)
    return path.read_text()


def _place(beside: Path, path: Path) -> None:
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    except OSError:  # some file systems have no links
        beside.replace(path)
    beside.unlink(missing_ok=True)
