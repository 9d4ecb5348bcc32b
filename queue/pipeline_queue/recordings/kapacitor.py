"""Kapacitor's recordings of streams: three lines a point, its database, retention policy, and itself in line protocol.

In:      the text of an `.srpl` file, and the unit of its times: `n` on Kapacitor's disk, `s` in the files of its tests.
Out:     blocks in order.
Refuses: (BadRecording) a file that ends within a point, and what line protocol refuses; the line is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from typing import IO

from pipeline_queue.errors import BadRecording
from pipeline_queue.points.block import PointBlock
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.recordings.lines import blocks_of_lines
from pipeline_queue.recordings.rows import Dbrp
from pipeline_queue.topics import EVENTS_PER_BLOCK_MAX

LINES_PER_POINT = 3


def stream_blocks(file: IO[str], precision: str, *, rows_max: int = EVENTS_PER_BLOCK_MAX) -> Iterator[PointBlock]:
    first, parser = 0, Parser()
    for dbrp, run in groupby(_points(file), lambda each: each[0]):
        while lines := [line for _, line in islice(run, rows_max)]:
            try:
                yield from blocks_of_lines("\n".join(lines), dbrp, precision, parser)
            except BadRecording as refusal:
                at = LINES_PER_POINT * (first + (refusal.line or 1))
                raise BadRecording(refusal.reason, line=at, text=refusal.text) from None
            first += len(lines)


def _points(file: IO[str]) -> Iterator[tuple[Dbrp, str]]:
    number = 0
    while record := [line.rstrip("\r\n") for line in islice(file, LINES_PER_POINT)]:
        number += len(record)
        if not any(record):
            continue
        if len(record) < LINES_PER_POINT:
            raise BadRecording("the file ends within a point: there are three lines each", line=number, text=record[-1])
        yield (record[0], record[1]), record[2]
