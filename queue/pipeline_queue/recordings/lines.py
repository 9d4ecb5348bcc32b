"""Line protocol as recordings and test files hold it: every line a point with its time.

In:      text, whose database and retention policy the caller knows, and the unit of its times.
Out:     blocks, the points in the order of the lines. Empty lines and comments are no points.
Refuses: a line that is no point, or has no time (BadRecording, which names it): a recording is replayed whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_queue.errors import BadRecording
from pipeline_queue.points.block import PointBlock
from pipeline_queue.points.line_protocol import NS_OF, Parser
from pipeline_queue.recordings.rows import Dbrp


def blocks_of_lines(text: str, dbrp: Dbrp, precision: str, parser: Parser | None = None) -> Iterator[PointBlock]:
    """The only place where recordings meet line protocol; `parser` is one that knows the series already."""
    parsed = (parser or Parser()).parse(text.encode(), precision=precision, now_ns=None)
    if parsed.bad:
        first = parsed.bad[0]
        raise BadRecording(first.reason, line=first.line, text=first.text)
    return (PointBlock(*dbrp, batch) for batch in parsed.batches)


def checked_precision(precision: str) -> str:
    """Raises BadRecording for a unit that is none."""
    if precision not in NS_OF:
        raise BadRecording(f"`{precision}` is no unit of times; there are {', '.join(NS_OF)}")
    return precision
