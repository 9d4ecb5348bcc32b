"""A task's state in a file of its own: written beside, then put in its place.

In:      the state after a step.
Out:     the newest state that was written whole.
Refuses: a file that is damaged, of another definition of the task, or of another LAYOUT, is none. (FolderGone) a folder that is not there.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline_processing.alerts.inhibiting import Inhibitors
from pipeline_processing.errors import ProcessingError
from pipeline_processing.graph.forgetting import Silence
from pipeline_processing.points.heard import Heard
from pipeline_processing.points.keys import Keys

LOG = logging.getLogger(__name__)
LAYOUT = 3
"""Of what a snapshot holds."""
CHECK_BYTES = 4


class FolderGone(ProcessingError):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"its folder `{folder}` is gone, as it is when another server holds the task")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    version: int
    """Of the task's definition."""
    steps: int
    rows: int
    """Points taken in since the task's beginning."""
    positions: dict[tuple[str, int], int]
    keys: Keys
    states: dict[str, Any]
    silence: Silence
    outlets: Any
    """What has left the task and is not delivered yet."""
    heard: Heard = field(default_factory=Heard)
    inhibitors: Inhibitors = field(default_factory=Inhibitors)


def to_bytes(snapshot: Snapshot) -> bytes:
    """In memory once: a task of a million groups has some hundred megabytes."""
    file = io.BytesIO()
    file.write(bytes(CHECK_BYTES))
    pickle.dump(snapshot, file, protocol=5)
    with file.getbuffer() as written:
        written[:CHECK_BYTES] = _check(written[CHECK_BYTES:])
    return file.getvalue()


def of_bytes(written: bytes) -> Snapshot | None:
    body = memoryview(written)[CHECK_BYTES:]
    if written[:CHECK_BYTES] != _check(body):
        return None
    try:
        return pickle.loads(body)
    except Exception:  # of other code: whatever it is that unpickling meets
        LOG.exception("a snapshot cannot be read")
        return None


def write(path: Path, body: bytes) -> None:
    """Raises FolderGone where a later holder of the task has cleared it away."""
    beside = path.with_suffix(".new")
    try:
        with beside.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except FileNotFoundError:
        raise FolderGone(path.parent) from None


def read(path: Path, *, version: int) -> Snapshot | None:
    try:
        found = of_bytes(path.read_bytes())
    except FileNotFoundError:
        return None
    return found if found is not None and found.version == version else None


def _check(body: memoryview) -> bytes:
    return zlib.crc32(body, LAYOUT).to_bytes(CHECK_BYTES, "big")
