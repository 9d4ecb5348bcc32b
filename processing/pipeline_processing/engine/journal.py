"""What each step of a task read, what time it had, and what it was answered, written before anything of it leaves.

After a crash the steps since the last snapshot are repeated exactly, so that they say the same under the same ids. Tasks
whose outcome depends on neither the clock, nor answers, nor the order of several partitions need no journal: their steps'
borders mean nothing.
In:      steps, one line of JSON each.
Out:     the steps since the snapshot, in their order; a last line that was cut off by a crash never left, and is dropped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pipeline_processing.alerts.inhibiting import HeldBack


class Taken(msgspec.Struct, frozen=True):
    """So many records of one partition."""

    topic: str
    partition: int
    start: int
    stop: int


class StepTaken(msgspec.Struct, frozen=True):
    """`number` counts the task's steps since its beginning: those that a snapshot has seen are not repeated."""

    number: int
    now_ns: int
    taken: tuple[Taken, ...] = ()
    answers: dict[str, tuple[int, ...]] = {}
    """By node."""
    inhibited: tuple[HeldBack, ...] | None = None
    """What other tasks' alerts hold back from this step on; None, what they did."""


class Journal:
    """A file; what is appended survives the kill of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(self._file, self._path.read_bytes().rfind(b"\n") + 1)

    def append(self, step: StepTaken) -> None:
        os.write(self._file, msgspec.json.encode(step) + b"\n")

    def steps(self) -> Iterator[StepTaken]:
        for line in self._path.read_bytes().splitlines():
            yield msgspec.json.decode(line, type=StepTaken)

    def clear(self) -> None:
        """Forget all steps: a snapshot holds what they did."""
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        os.close(self._file)
