"""Recorded points given out again: at once, or at the pace at which they were recorded.

In:      blocks, and a clock.
Out:     the same points in the same order, in blocks that may be smaller; their times as recorded, or moved so that the first is
         now. No point comes before its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
from pipeline_queue.clock import Clock
from pipeline_queue.points.block import PointBlock

from pipeline_processing.tasks.replays import Timing

SLICE_S = 0.2
"""How long a wait may last before it looks whether it is to end."""
STEP_NS = 10_000_000
"""Points that come within it come together: a block for each would cost more than the points do."""


class Stopped(Exception):
    """Whoever waits is told to end."""


def paced(
    blocks: Iterable[PointBlock], timing: Timing, clock: Clock, stopped: Callable[[], bool]
) -> Iterator[PointBlock]:
    """Raises Stopped."""
    moved_ns: int | None = None
    latest_ns = np.iinfo(np.int64).min
    for block in blocks:
        if stopped():
            raise Stopped
        if not len(block):
            continue
        times = block.batch.column(0).to_numpy(zero_copy_only=False)
        if moved_ns is None:
            moved_ns = clock.now_ns() - int(times[0])
        given = block if timing.recording_time else _moved(block, times + moved_ns)
        if timing.clock == "fast":
            yield given
        else:
            due = np.maximum(np.maximum.accumulate(times), latest_ns)
            latest_ns = int(due[-1])
            yield from _in_time(given, due + moved_ns, clock, stopped)


def _in_time(block: PointBlock, due_ns: np.ndarray, clock: Clock, stopped: Callable[[], bool]) -> Iterator[PointBlock]:
    begin = 0
    while begin < len(block):
        _wait_until(int(due_ns[begin]), clock, stopped)
        end = max(begin + 1, int(np.searchsorted(due_ns, clock.now_ns(), side="right")))
        yield PointBlock(block.database, block.retention_policy, block.batch.slice(begin, end - begin))
        begin = end


def _wait_until(time_ns: int, clock: Clock, stopped: Callable[[], bool]) -> None:
    while (left_ns := time_ns - clock.now_ns()) > 0:
        if stopped():
            raise Stopped
        clock.sleep(min(max(left_ns, STEP_NS) / 1e9, SLICE_S))


def _moved(block: PointBlock, times: np.ndarray) -> PointBlock:
    batch = block.batch
    columns = [pa.array(times, pa.int64()), *batch.columns[1:]]
    return PointBlock(block.database, block.retention_policy, pa.record_batch(columns, names=batch.schema.names))
