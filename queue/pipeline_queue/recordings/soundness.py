"""Blocks from outside, looked at before they are kept: what is replayed is read without a second look.

Refuses: (BadRecording) a series that is not written as series_key.py writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline_queue.errors import BadRecording
from pipeline_queue.points.block import PointBlock
from pipeline_queue.points.series_key import is_writable, read, written


def sound(blocks: Iterable[PointBlock]) -> Iterator[PointBlock]:
    known: set[bytes] = set()
    for block in blocks:
        for key in block.batch.column(1).dictionary.to_pylist():
            if key not in known:
                _check(key)
                known.add(key)
        yield block


def _check(key: bytes) -> None:
    try:
        key.decode()
        is_sound = is_writable(*read(key)) and written(*read(key)) == key
    except ValueError:
        is_sound = False
    if not is_sound:
        raise BadRecording(f"{key[:120]!r} is no series; one is `cpu,host=a`, its tags in order")
