"""A producer's own books: which events it made, and which the queue acknowledged.

In:   ranges of sequence numbers, in order, `made` before the publish and `acknowledged` after it.
Out:  one line of JSON a range, handed to the kernel before the call returns, so that a killed producer leaves true books.
      They are the oracle of every claim that nothing was lost. A range that continues the last of its kind grows in its
      place for up to a minute: a producer that publishes 20 times a second for a day leaves 700 kB, not 400 MB.
A range that was made and not acknowledged may or may not be on the queue. A range that is `repeated` was published once
more after an attempt of unknown outcome: its events may be there twice, with the same ids, and all but the first time in
messages that say so (codec.REPEATED).
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line; `first_seq` and `last_seq` are inclusive."""

    producer: str
    what: Literal["made", "acknowledged", "repeated"]
    first_seq: int
    last_seq: int
    time_ns: int

    @property
    def count(self) -> int:
        return self.last_seq - self.first_seq + 1


class Ledger(Protocol):
    def note(self, entry: Entry) -> None:
        """Keep the entry; it survives a kill once this returns."""

    def close(self) -> None:
        """Let go of the file."""


_DECODER = msgspec.json.Decoder(Entry)
LINE_BYTES = 256
"""Each line is padded to this, so that it can grow in its place; none crosses a page, so a reader sees it old or new."""
GROWS_NS = 60_000_000_000


class FileLedger:
    """One file a producer: `FOLDER/PRODUCER.ndjson`."""

    def __init__(self, folder: Path, producer: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / f"{producer}.ndjson", os.O_WRONLY | os.O_CREAT, 0o644)
        self._end = os.fstat(self._file).st_size
        self._growing: dict[str, tuple[int, int, Entry]] = {}

    def note(self, entry: Entry) -> None:
        begun_ns, place, last = self._growing.get(entry.what, (0, 0, None))
        if last and last.last_seq + 1 == entry.first_seq and entry.time_ns - begun_ns < GROWS_NS:
            entry = msgspec.structs.replace(entry, first_seq=last.first_seq)
        else:
            begun_ns, place = entry.time_ns, self._end
            self._end += LINE_BYTES
        self._growing[entry.what] = (begun_ns, place, entry)
        os.pwrite(self._file, msgspec.json.encode(entry).ljust(LINE_BYTES - 1) + b"\n", place)

    def close(self) -> None:
        os.close(self._file)


class NoLedger:
    """For those who keep no books."""

    def note(self, entry: Entry) -> None:
        """Forget it."""

    def close(self) -> None:
        """Nothing to let go of."""


def read_ledgers(folder: Path, since_ns: int = 0, producers: str = "*") -> Iterator[Entry]:
    """All entries that are of `since_ns` or later, of all producers or of those whose name fits the pattern; a last line cut off
    by a kill is left out."""
    for path in sorted(folder.glob(f"{producers}.ndjson")):
        if path.stat().st_mtime_ns >= since_ns:
            yield from _entries(path, since_ns)


def _entries(path: Path, since_ns: int) -> Iterator[Entry]:
    with path.open("rb") as file:
        lines = os.fstat(file.fileno()).st_size // LINE_BYTES
        begin = bisect_left(range(lines), since_ns - GROWS_NS, key=lambda line: _entry_at(file, line).time_ns)
        file.seek(begin * LINE_BYTES)
        whole = file.read((lines - begin) * LINE_BYTES)
    yield from (entry for entry in _DECODER.decode_lines(whole) if entry.time_ns >= since_ns)


def _entry_at(file: BinaryIO, line: int) -> Entry:
    """Lines begin in order of time, and one grows for GROWS_NS at most, so a search by time misses none by more."""
    file.seek(line * LINE_BYTES)
    return _DECODER.decode(file.read(LINE_BYTES))
