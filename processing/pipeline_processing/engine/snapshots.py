"""A task's state after a step, and the bytes that it is kept as.

Refuses: bytes that are damaged, of another LAYOUT, or of other code, are no state.
Large buffers (columns of many groups, parts of the keys) stay outside of the pickle: they are views of what the task
holds, so they are copied nowhere, and what has not changed is not written again (engine/snapshot_files.py).
"""

from __future__ import annotations

import logging
import pickle
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline_processing.alerts.inhibiting import Inhibitors
from pipeline_processing.graph.forgetting import Silence
from pipeline_processing.points.heard import Heard
from pipeline_processing.points.keys import Keys

LOG = logging.getLogger(__name__)
LAYOUT = 3
"""Of what a snapshot holds."""
CHECK_BYTES = 4
LARGE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    version: int
    """Of the task's definition."""
    steps: int
    rows: int
    """The number of the next point."""
    positions: dict[tuple[str, int], int]
    keys: Keys
    states: dict[str, Any]
    silence: Silence
    outlets: Any
    """What has left the task and is not delivered yet."""
    heard: Heard = field(default_factory=Heard)
    inhibitors: Inhibitors = field(default_factory=Inhibitors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pickled:
    """`body` wants the buffers in their order; they are the task's own until its next step."""

    version: int
    body: bytes
    buffers: Sequence[memoryview]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Pickled:
        buffers: list[memoryview] = []

        def is_small(buffer: pickle.PickleBuffer) -> bool:
            try:
                raw = buffer.raw()
            except BufferError:  # one that is in no order of memory
                return True
            if raw.nbytes >= LARGE_BYTES:
                buffers.append(raw)
            return raw.nbytes < LARGE_BYTES

        body = pickle.dumps(snapshot, protocol=5, buffer_callback=is_small)
        return cls(version=snapshot.version, body=body, buffers=buffers)

    @property
    def size_bytes(self) -> int:
        return len(self.body) + sum(each.nbytes for each in self.buffers)


def unpickled(body: bytes, buffers: Iterable[memoryview] = ()) -> Snapshot | None:
    """The buffers become the state's own memory."""
    try:
        return pickle.loads(body, buffers=buffers)
    except Exception:  # of other code: whatever it is that unpickling meets
        LOG.exception("a snapshot cannot be read")
        return None


def to_bytes(snapshot: Snapshot) -> bytes:
    """All of it in one piece."""
    return checked(pickle.dumps(snapshot, protocol=5))


def of_bytes(written: bytes) -> Snapshot | None:
    body = unchecked(written)
    return None if body is None else unpickled(body)


def checked(body: bytes) -> bytes:
    return _check(body) + body


def unchecked(written: bytes) -> bytes | None:
    body = written[CHECK_BYTES:]
    return body if written[:CHECK_BYTES] == _check(body) else None


def _check(body: bytes) -> bytes:
    return zlib.crc32(body, LAYOUT).to_bytes(CHECK_BYTES, "big")
