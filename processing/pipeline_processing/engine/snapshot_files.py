"""Snapshots of one task on disk: each writes only the chunks that no earlier one wrote.

In:      the state after a step.
Out:     the newest state that was written whole. PATH names the chunks that make it; beside it lie packs, PATH.1, PATH.2 and
         so on, with the chunks that one snapshot added each. A pack is never changed; one without a chunk in use is deleted.
Refuses: files that are damaged, or of another definition of the task, are none. (FolderGone) a folder that is not there.
Chunks go by their digests: what came back to where it was is not written either. When packs hold as much that nobody uses
as what is used, or have become many, the next snapshot writes all of it into one; so does the first of a process.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pipeline_processing.engine.snapshots import LARGE_BYTES, Pickled, Snapshot, checked, unchecked, unpickled
from pipeline_processing.errors import ProcessingError

LOG = logging.getLogger(__name__)
CHUNK_BYTES = LARGE_BYTES
DIGEST_BYTES = 16
PACKS_MAX = 64
Digest: TypeAlias = bytes


class FolderGone(ProcessingError):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"its folder `{folder}` is gone, as it is when another server holds the task")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where it lies: a pack's number, the offset in it, and how many bytes."""

    digest: Digest
    pack: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Of the file PATH. `body` is pickled; it is one of the buffers where it is large."""

    version: int
    body: bytes
    buffers: Sequence[Sequence[Chunk]]
    body_is_first: bool

    @property
    def packs(self) -> set[int]:
        return {chunk.pack for chunks in self.buffers for chunk in chunks}


class SnapshotFiles:
    """What a process writes of one task."""

    def __init__(self, path: Path) -> None:
        """The folder must be there."""
        self._path = path
        self._next = 1 + max(packs(path), default=0)
        """No number is given twice: who reads meanwhile finds the pack that was meant, or none."""
        self._kept: dict[Digest, Chunk] = {}
        self._sizes: dict[int, int] = {}
        """Of the packs that `_kept` speaks of."""

    def write(self, pickled: Pickled) -> None:
        """Raises FolderGone where a later holder of the task has cleared it away."""
        try:
            self._write(pickled)
        except FileNotFoundError:
            raise FolderGone(self._path.parent) from None

    def _write(self, pickled: Pickled) -> None:
        if self._is_wasteful():
            self._kept, self._sizes = {}, {}
        is_large = len(pickled.body) >= LARGE_BYTES
        buffers = [memoryview(pickled.body), *pickled.buffers] if is_large else pickled.buffers
        contents = Contents(
            version=pickled.version,
            body=b"" if is_large else pickled.body,
            body_is_first=is_large,
            buffers=self._packed(buffers),
        )
        replace(self._path, checked(pickle.dumps(contents)))
        self._kept = {chunk.digest: chunk for chunks in contents.buffers for chunk in chunks}
        for each in set(packs(self._path)) - contents.packs:
            pack_of(self._path, each).unlink(missing_ok=True)
            self._sizes.pop(each, None)

    def _packed(self, buffers: Sequence[memoryview]) -> list[list[Chunk]]:
        """The chunks of each buffer; those that are in no pack yet are written into the next."""
        places, added, end = dict(self._kept), [], 0
        found: list[list[Chunk]] = []
        for buffer in buffers:
            found.append([])
            for digest, piece in _pieces(buffer):
                if digest not in places:
                    places[digest] = Chunk(digest, self._next, end, piece.nbytes)
                    added.append(piece)
                    end += piece.nbytes
                found[-1].append(places[digest])
        if added:
            write_through(pack_of(self._path, self._next), added)
            self._sizes[self._next] = end
            self._next += 1
        return found

    def _is_wasteful(self) -> bool:
        used = sum(chunk.size for chunk in self._kept.values())
        return sum(self._sizes.values()) > 2 * used or len(self._sizes) > PACKS_MAX


def read(path: Path, *, version: int) -> Snapshot | None:
    try:
        found = contents(path.read_bytes())
    except FileNotFoundError:
        return None
    if found is None or found.version != version:
        return None
    try:
        buffers = list(_buffers(path, found))
    except (OSError, ValueError) as error:
        LOG.error("the snapshot %s cannot be read: %s", path, error)
        return None
    body = bytes(buffers.pop(0)) if found.body_is_first else found.body
    return unpickled(body, buffers)


def contents(written: bytes) -> Contents | None:
    """What the file PATH says; none where it is damaged."""
    body = unchecked(written)
    try:
        return None if body is None else pickle.loads(body)
    except Exception:  # of other code: whatever it is that unpickling meets
        LOG.exception("a snapshot's contents cannot be read")
        return None


def replace(path: Path, body: bytes) -> None:
    """As a whole or not at all."""
    beside = path.with_suffix(".new")
    write_through(beside, [body])
    beside.replace(path)


def write_through(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """To the disk."""
    with path.open("wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())


def packs(path: Path) -> list[int]:
    """The numbers of those that are there."""
    ends = (each.name.removeprefix(f"{path.name}.") for each in path.parent.iterdir())
    return sorted(int(each) for each in ends if each.isdigit())


def pack_of(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _pieces(buffer: memoryview) -> Iterator[tuple[Digest, memoryview]]:
    for begin in range(0, buffer.nbytes, CHUNK_BYTES):
        piece = buffer[begin : begin + CHUNK_BYTES]
        yield hashlib.blake2b(piece, digest_size=DIGEST_BYTES).digest(), piece


def _buffers(path: Path, found: Contents) -> Iterator[memoryview]:
    """Each in memory of its own, which may be written to; raises ValueError where one is not what was written."""
    files = {number: pack_of(path, number).open("rb") for number in sorted(found.packs)}
    try:
        for chunks in found.buffers:
            buffer = memoryview(bytearray(sum(chunk.size for chunk in chunks)))
            ends = itertools.accumulate(chunk.size for chunk in chunks)
            for chunk, end in zip(chunks, ends, strict=True):
                piece = buffer[end - chunk.size : end]
                files[chunk.pack].seek(chunk.offset)
                files[chunk.pack].readinto(piece)
                if hashlib.blake2b(piece, digest_size=DIGEST_BYTES).digest() != chunk.digest:
                    raise ValueError(f"{pack_of(path, chunk.pack)} is damaged at byte {chunk.offset}")
            yield buffer
    finally:
        for file in files.values():
            file.close()
