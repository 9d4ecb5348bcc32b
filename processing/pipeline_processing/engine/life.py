"""A task's life: the thread that reads for it, steps it, lets out what came of it, and takes snapshots.

A stop takes a last snapshot; after a kill all since the last one is done again and says the same under the same ids. A task
whose code breaks stops, says why, and hurts no other.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pipeline_queue.errors import OffsetGone, QueueUnavailable, TermOver

from pipeline_processing.alerts.inhibiting import HeldBack
from pipeline_processing.engine import snapshots
from pipeline_processing.engine.journal import Journal, StepTaken, Taken
from pipeline_processing.engine.limits import Limits
from pipeline_processing.engine.outlets import Outlets
from pipeline_processing.engine.portion import Portion
from pipeline_processing.engine.snapshot_files import FolderGone, SnapshotFiles
from pipeline_processing.engine.snapshots import Pickled, Snapshot
from pipeline_processing.engine.source import Source
from pipeline_processing.engine.task import NOTHING, Outside, Task
from pipeline_processing.graph.run import NodeFailed
from pipeline_processing.operators.operator import Tick

LOG = logging.getLogger(__name__)
ROWS_PER_STEP = 10_000
WAIT_S_MAX = 0.5
ANSWERED_WITHIN_S = 0.02
"""How often it is looked whether an answer has come: to be woken by each would wake all other tasks, too."""
SNAPSHOT_INTERVAL_S = 10.0
STILL_S_MAX = 600.0
"""How old the snapshot of a task may be that takes no step: its next life looks through the alerts since then."""
QUEUE_AWAY_S = 1.0
COUNTED_S = 5.0
BEGUN_WITHIN_S = 10.0
NONE_SAVED = -1
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where a task keeps what must outlive it."""

    folder: Path
    snapshot_interval_s: float = SNAPSHOT_INTERVAL_S
    limits: Limits = field(default_factory=Limits)

    @property
    def snapshot(self) -> Path:
        return self.folder / "state.snapshot"

    @property
    def journal(self) -> Path:
        return self.folder / "steps.journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heritage:
    """What a task has of its lives before, and leaves to those after; `version` is its definition's."""

    files: Files | None = None
    version: int = 0
    after: Snapshot | None = None


class Life:
    def __init__(
        self,
        task: Task,
        source: Source,
        outlets: Outlets,
        heritage: Heritage = Heritage(),
        *,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        files, after = heritage.files, heritage.after
        self.task, self.source, self.outlets = task, source, outlets
        self._heeds_others = task.heeds_others
        self.error = ""
        """Why it stopped by itself."""
        self.throughput = 0.0
        """Points a second, over the last seconds."""
        self._files, self._version, self._now_ns = files, heritage.version, now_ns
        self._before = after.outlets if after else None
        if files:
            task.limit(files.limits)
        if after:
            task.restore(after)
        if files:
            files.folder.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(files.journal) if files else None
        self._written = SnapshotFiles(files.snapshot) if files else None
        if self._journal and not after:
            self._journal.clear()
        self._steps_before = [each for each in self._journal.steps() if each.number >= task.steps] if files else []
        self._counted_at_s, self._counted_rows = time.monotonic(), task.rows
        self._asked: deque[Future[bytes]] = deque()
        self._begun = threading.Event()
        self._stopping, self._abandoned = threading.Event(), threading.Event()
        self._snapshot_at_s = time.monotonic() + (files.snapshot_interval_s if files else SNAPSHOT_INTERVAL_S)
        self._saved_at_s, self._saved_steps = time.monotonic(), NONE_SAVED
        self._thread = threading.Thread(target=self._live, name=f"task-{task.id}", daemon=True)

    def start(self) -> None:
        """Return when it is kept where the task begins: a crash from then on loses nothing."""
        self._thread.start()
        self._begun.wait(BEGUN_WITHIN_S)

    def stop(self) -> None:
        """End after the step at hand, with a snapshot of it."""
        self.end_soon()
        self._thread.join()

    def end_soon(self) -> None:
        """The same, without waiting for it."""
        self._stopping.set()
        self.outlets.release()
        self.source.wake()

    def abandon(self) -> None:
        """End without a snapshot: another goes on from the one before."""
        self._abandoned.set()
        self.stop()

    def join(self, within_s: float | None = None) -> bool:
        """Wait for the end of a source that has one, or of who is to end soon; whether it came in time."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    @property
    def executing(self) -> bool:
        return self._thread.is_alive()

    def snapshot(self) -> bytes:
        """The state after the step at hand; empty where the task runs no more."""
        asked: Future[bytes] = Future()
        self._asked.append(asked)
        self.source.wake()
        while self.executing and not asked.done():
            with contextlib.suppress(TimeoutError):
                return asked.result(WAIT_S_MAX)
        return asked.result() if asked.done() else b""

    def _snapshot(self) -> Snapshot:
        return self.task.snapshot(self.source.positions, self.outlets.pending(), version=self._version)

    def _live(self) -> None:
        try:
            if not self._begin():
                return
            while not self._stopping.is_set() and not self.source.is_done():
                self._next()
            if self.source.is_done():
                self._take([], Tick(now_ns=self._now_ns(), closing=True))
            elif self._files and not self._abandoned.is_set():
                self._save_or_tell()
        except (TermOver, FolderGone) as error:
            LOG.warning("task %s ends here: %s", self.task.id, error)
            self.error = str(error)
        except NodeFailed as error:
            LOG.exception("task %s stopped", self.task.id)
            self.error = str(error)
        except Exception as error:
            LOG.exception("task %s stopped", self.task.id)
            self.error = f"{type(error).__name__}: {error}"
        finally:
            self._begun.set()
            self.outlets.close()
            if self._journal:
                self._journal.close()

    def _begin(self) -> bool:
        """Go on where an earlier life ended, or keep where this one begins; false where it is stopped before it could."""
        is_first = self._files is not None and self._before is None
        self._patiently(lambda: self.outlets.open(self._before))
        self.outlets.inhibit(self.task.inhibitors.own)
        if is_first and not self._stopping.is_set():
            self._patiently(self._save)
        self._begun.set()
        self._repeat()
        if self._stopping.is_set():
            return False
        self.outlets.begin()
        return True

    def _repeat(self) -> None:
        """The steps since the snapshot, up to the first whose points are gone: the answers of those after it are to other points."""
        for step in self._steps_before:
            try:
                portions = self._patiently(lambda step=step: self.source.read_exactly(step.taken))
            except OffsetGone as error:
                LOG.error("task %s: its steps cannot be repeated, what is left is read as new: %s", self.task.id, error)
                self._patiently(self._save)
                return
            if portions is None:
                return
            self._take(portions, Tick(now_ns=step.now_ns), _outside(step))

    def _patiently(self, ask: Callable[[], Found]) -> Found | None:
        """What the queue says, however long it is away; None where the task is stopped before."""
        while not self._stopping.is_set():
            try:
                return ask()
            except QueueUnavailable as error:
                LOG.warning("task %s: %s", self.task.id, error)
                self._stopping.wait(QUEUE_AWAY_S)
        return None

    def _next(self) -> None:
        portions = self._patiently(lambda: self.source.read(rows=ROWS_PER_STEP, wait_s=self._wait_s()))
        if portions is None:
            return
        if self.source.has_skipped():
            self.task.number_from(self.source.positions.values())
            self._counted_rows = self.task.rows
        now_ns = self._now_ns()
        due_ns = self.task.run.due_ns()
        outside = Outside(answers=self.outlets.answers(), inhibited=self._inhibited_anew())
        if portions or outside.answers or (due_ns is not None and due_ns <= now_ns):
            if self._journal and (self.task.needs_journal or len(self.source.positions) > 1):
                self._journal.append(_step_taken(self.task.steps, now_ns, portions, outside))
            self._take(portions, Tick(now_ns=now_ns), outside)
        self._count()
        for _ in range(len(self._asked)):  # who asks meanwhile is answered after another round
            self._asked.popleft().set_result(snapshots.to_bytes(self._snapshot()))
        if self._files and time.monotonic() >= self._snapshot_at_s:
            self._snapshot_at_s = time.monotonic() + self._files.snapshot_interval_s
            if self._has_news():
                self._patiently(self._save)

    def _count(self) -> None:
        past_s = time.monotonic() - self._counted_at_s
        if past_s >= COUNTED_S:
            self.throughput = (self.task.rows - self._counted_rows) / past_s
            self._counted_at_s, self._counted_rows = time.monotonic(), self.task.rows

    def _inhibited_anew(self) -> frozenset[HeldBack] | None:
        """What other tasks hold back, where that matters and is not what it was."""
        if not self._heeds_others:
            return None
        now = self.outlets.inhibited()
        return None if now == self.task.inhibitors.others else now

    def _take(self, portions: Sequence[Portion], tick: Tick, outside: Outside = NOTHING) -> None:
        before = self.task.inhibitors.own
        left = self.task.step(portions, replace(tick, assumed_answer=self.outlets.assumed_answer), outside)
        if outside.answers:
            self.outlets.settle(outside.answers)
        if self.task.inhibitors.own != before:
            self.outlets.inhibit(self.task.inhibitors.own)
        if left:
            self.outlets.take(left, self.task.run.keys)
        for each in self.task.run.news:
            LOG.warning("task %s: %s; further points like this are counted only", self.task.id, each)
        self.task.run.news.clear()

    def _wait_s(self) -> float:
        longest_s = ANSWERED_WITHIN_S if self.outlets.awaits() else WAIT_S_MAX
        due_ns = self.task.run.due_ns()
        if due_ns is None:
            return longest_s
        return min(longest_s, max(0.0, (due_ns - self._now_ns()) / 1e9))

    def _save_or_tell(self) -> None:
        """At the end: who cannot reach the queue any more goes on from the snapshot before."""
        try:
            self._save()
        except QueueUnavailable as error:
            LOG.warning("task %s ends without a snapshot: %s", self.task.id, error)

    def _has_news(self) -> bool:
        """Since the last snapshot: a step, or what was on its way then may have arrived."""
        is_still = self.task.steps == self._saved_steps and not self.outlets.holds
        return not is_still or time.monotonic() >= self._saved_at_s + STILL_S_MAX

    def _save(self) -> None:
        self._forget()
        pickled = Pickled.of(self._snapshot())
        self._files.limits.check(pickled.size_bytes, groups=self.task.run.keys.group_count)
        self._written.write(pickled)
        self._saved_at_s, self._saved_steps = time.monotonic(), self.task.steps
        self._journal.clear()

    def _forget(self) -> None:
        """Groups that are silent, but not while there are points left that an earlier life may have seen, or that came since: a
        group is not silent that has one of them. That goes into the snapshot which is taken now, so that no step need repeat it.
        """
        now_ns = self._now_ns()
        self.task.note_groups(now_ns)
        if self.source.has_caught_up():
            self.task.forget_silent(now_ns)


def _step_taken(number: int, now_ns: int, portions: Sequence[Portion], outside: Outside) -> StepTaken:
    inhibited = None if outside.inhibited is None else tuple(outside.inhibited)
    return StepTaken(
        number=number, now_ns=now_ns, taken=_taken(portions), answers=dict(outside.answers), inhibited=inhibited
    )


def _outside(step: StepTaken) -> Outside:
    return Outside(answers=step.answers, inhibited=None if step.inhibited is None else frozenset(step.inhibited))


def _taken(portions: Sequence[Portion]) -> tuple[Taken, ...]:
    """The portions as ranges of their partitions, in the order in which they were taken."""
    ranges = []
    for (topic, partition), run in itertools.groupby(portions, key=lambda each: each.place):
        offsets = [each.offset for each in run]
        ranges.append(Taken(topic=topic, partition=partition, start=offsets[0], stop=offsets[-1] + 1))
    return tuple(ranges)
