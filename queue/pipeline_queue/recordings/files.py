"""A file of points, whatever its form; its name says which.

In:      `.parquet`; `.srpl`; `.brpl`, or a `.zip` of such; `.lp` and `.txt` (line protocol); `.ndjson` and `.jsonl`. All but Parquet may be
         gzipped, whatever they are called.
Out:     blocks in the file's order.
Refuses: (BadRecording) other names, and files that are not what their names say.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from pipeline_queue.errors import BadRecording
from pipeline_queue.points.block import PointBlock
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.recordings.json_lines import rows_of_json
from pipeline_queue.recordings.kapacitor import stream_blocks
from pipeline_queue.recordings.lines import blocks_of_lines, checked_precision
from pipeline_queue.recordings.parquet import recorded_blocks
from pipeline_queue.recordings.rows import Dbrp, blocks_of
from pipeline_queue.topics import EVENTS_PER_BLOCK_MAX

GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file does not say itself: where its points belong, the unit of its times, and how large blocks are to be."""

    dbrp: Dbrp = ("data", "autogen")
    precision: str = "n"
    rows_max: int = EVENTS_PER_BLOCK_MAX


def blocks_in(path: Path, reading: Reading) -> Iterator[PointBlock]:
    checked_precision(reading.precision)
    suffix = (path.with_suffix("") if path.suffix == ".gz" else path).suffix
    try:
        if suffix == ".parquet":
            yield from recorded_blocks(path, rows_max=reading.rows_max)
        elif suffix == ".zip":
            yield from _archived(path, reading)
        else:
            with _opened(path) as file:
                yield from _blocks(file, suffix, reading)
    except BadRecording as refusal:
        raise refusal.of(path) from None
    except (OSError, UnicodeDecodeError, EOFError, zipfile.BadZipFile) as cause:
        raise BadRecording(f"it cannot be read: {cause}").of(path) from None


def _blocks(file: IO[str], suffix: str, reading: Reading) -> Iterator[PointBlock]:
    if suffix == ".srpl":
        return stream_blocks(file, reading.precision, rows_max=reading.rows_max)
    if suffix in (".lp", ".txt"):
        return _line_blocks(file, reading)
    if suffix in (".brpl", ".ndjson", ".jsonl"):
        return blocks_of(rows_of_json(file, reading.dbrp), rows_max=reading.rows_max)
    raise BadRecording("its name says no form that is known: .parquet .srpl .brpl .zip .lp .txt .ndjson .jsonl")


def _line_blocks(file: IO[str], reading: Reading) -> Iterator[PointBlock]:
    before, parser = 0, Parser()
    while lines := list(islice(file, reading.rows_max)):
        try:
            yield from blocks_of_lines("".join(lines), reading.dbrp, reading.precision, parser)
        except BadRecording as refusal:
            raise BadRecording(refusal.reason, line=before + (refusal.line or 0), text=refusal.text) from None
        before += len(lines)


def _archived(path: Path, reading: Reading) -> Iterator[PointBlock]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                yield from _blocks(
                    io.TextIOWrapper(member, "utf-8", newline="\n"), Path(name).suffix or ".brpl", reading
                )


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    with path.open("rb") as probe:
        is_gzip = probe.read(len(GZIP)) == GZIP
    with path.open("rb") as raw:
        yield io.TextIOWrapper(gzip.GzipFile(fileobj=raw) if is_gzip else raw, "utf-8", newline="\n")
