"""A producer's own books: which events it made, and which the queue acknowledged.

In:   ranges of sequence numbers, in order, `made` before the publish and `acknowledged` after it.
Out:  one line of JSON a range, appended and handed to the kernel before the call returns, so that a killed producer
      leaves true books. They are the oracle of every claim that nothing was lost.
A range that was made and not acknowledged may or may not be on the queue. A range that is `repeated` was published once
more after an attempt of unknown outcome: its events may be there twice, with the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, Protocol

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


class FileLedger:
    """One file a producer: `FOLDER/PRODUCER.ndjson`."""

    def __init__(self, folder: Path, producer: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = (folder / f"{producer}.ndjson").open("ab")

    def note(self, entry: Entry) -> None:
        self._file.write(msgspec.json.encode(entry) + b"\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class NoLedger:
    """For those who keep no books."""

    def note(self, entry: Entry) -> None:
        """Forget it."""

    def close(self) -> None:
        """Nothing to let go of."""


def read_ledgers(folder: Path) -> Iterator[Entry]:
    """All entries of all producers; a last line cut off by a kill is left out."""
    for path in sorted(folder.glob("*.ndjson")):
        whole, _, _cut_off = path.read_bytes().rpartition(b"\n")
        yield from msgspec.json.Decoder(Entry).decode_lines(whole)
