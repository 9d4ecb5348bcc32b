"""Replays in threads of this process, each in a task master of its own; the newest stay to be looked into.

In:      recordings' blocks, and tasks.
Out:     see replays.py. What came of a replay is kept in memory for the newest MASTERS_MAX, that they were for RECORDS_MAX.
Refuses: (NoRecording), (Refused) a recording that is not finished, batch replays, more than RUNNING_MAX at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from pipeline_queue.clock import Clock, SystemClock
from pipeline_queue.errors import QueueError
from pipeline_queue.points.block import PointBlock

from pipeline_processing.errors import ProcessingError
from pipeline_processing.tasks.errors import NoRecording, NoReplay, Refused
from pipeline_processing.tasks.kept_recordings import KeptRecordings
from pipeline_processing.tasks.pacing import Stopped, paced
from pipeline_processing.tasks.replays import Replay, Timing
from pipeline_processing.tasks.task_master import TaskDefinition, TaskMaster

MASTERS_MAX, RECORDS_MAX, RUNNING_MAX = 20, 1000, 8
NOT_BATCH = "batch tasks do not run here, so they are not replayed; record a stream, or a query as one, and replay that"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Run:
    """One replay: what is told of it, and its thread."""

    told: Replay
    master: TaskMaster | None
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What is replayed; `rows` is how many points that are, 0 where it is not known."""

    recording: str
    blocks: Callable[[], Iterable[PointBlock]]
    rows: int = 0


class KeptReplays:
    """See `Replays`."""

    def __init__(self, recordings: KeptRecordings, master: TaskMaster, clock: Clock | None = None) -> None:
        self._recordings, self._master, self._clock = recordings, master, clock or SystemClock()
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def create(self, replay_id: str, task: TaskDefinition, recording_id: str, timing: Timing) -> Replay:
        try:
            recording = self._recordings.show(recording_id)
        except NoRecording as error:
            raise NoRecording(f"recording not found: {error}") from None
        if recording.status != "finished":
            raise Refused(f"recording {recording_id} is {recording.status}, so it cannot be replayed")
        material = Material(
            recording=recording_id,
            blocks=lambda: self._recordings.blocks(recording_id),
            rows=self._recordings.rows(recording_id),
        )
        return self._begun(replay_id, task, timing, material)

    def create_batch(
        self, replay_id: str, task: TaskDefinition, timing: Timing, *, start_ns: int, stop_ns: int
    ) -> Replay:
        raise Refused(NOT_BATCH)

    def create_query(self, replay_id: str, task: TaskDefinition, timing: Timing, *, query: str) -> Replay:
        blocks = self._recordings.found(query)
        return self._begun(replay_id, task, timing, Material(recording="", blocks=blocks))

    def show(self, replay_id: str) -> Replay:
        return self._run(replay_id).told

    def every(self) -> list[Replay]:
        with self._lock:
            return [each.told for each in reversed(self._runs.values())]

    def delete(self, replay_id: str) -> None:
        with self._lock:
            run = self._runs.pop(replay_id, None)
        if run:
            _ended(run)

    def task_master(self, replay_id: str) -> TaskMaster | None:
        with self._lock:
            run = self._runs.get(replay_id)
        return run.master if run else None

    def wait(self, replay_id: str, within_s: float | None = None) -> Replay:
        """Until it is over, or so long; raises NoReplay."""
        run = self._run(replay_id)
        if run.thread:
            run.thread.join(within_s)
        return run.told

    def close(self, within_s: float | None = None) -> None:
        """End those that run. Who waits for each no longer than `within_s` ends the process, and them with it."""
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            run.stopping.set()
        for run in runs:
            _ended(run, within_s)

    def _run(self, replay_id: str) -> Run:
        with self._lock:
            run = self._runs.get(replay_id)
        if run is None:
            raise NoReplay
        return run

    def _begun(self, replay_id: str, task: TaskDefinition, timing: Timing, material: Material) -> Replay:
        told = Replay(
            id=replay_id,
            task=task.id,
            recording=material.recording,
            clock=timing.clock,
            recording_time=timing.recording_time,
            date_ns=self._clock.now_ns(),
        )
        master = self._master.new()
        run = Run(told=told, master=master)
        with self._lock:
            self._check(replay_id)
            self._runs[replay_id] = run
        try:
            master.start_task(master.new_task(task))
        except ProcessingError:
            self.delete(replay_id)
            raise
        run.thread = threading.Thread(
            target=self._play, args=(run, timing, material), name=f"replay-{replay_id}", daemon=True
        )
        run.thread.start()
        return told

    def _check(self, replay_id: str) -> None:
        if replay_id in self._runs:
            raise Refused(f"replay {replay_id} already exists")
        if sum(each.told.status == "running" for each in self._runs.values()) >= RUNNING_MAX:
            raise Refused(f"{RUNNING_MAX} replays run already; wait for one, or delete it")

    def _play(self, run: Run, timing: Timing, material: Material) -> None:
        master, error = run.master, ""
        assert master is not None
        try:
            for block in paced(self._counted(run, material), timing, self._clock, run.stopping.is_set):
                master.write_points(block.database, block.retention_policy, [block.batch])
                if not master.is_executing(run.told.task):
                    break
        except Stopped:
            error = "it was ended before the recording was"
        except (QueueError, ProcessingError) as cause:
            error = str(cause)
        except Exception as cause:
            log.exception("replay %s met a defect", run.told.id)
            error = f"{type(cause).__name__}: {cause}"
        self._finish(run, error)

    def _counted(self, run: Run, material: Material) -> Iterator[PointBlock]:
        for block in material.blocks():
            yield block
            run.rows += len(block)
            if material.rows:
                run.told = replace(run.told, progress=min(run.rows / material.rows, 1.0))

    def _finish(self, run: Run, error: str) -> None:
        master, task = run.master, run.told.task
        assert master is not None
        if run.stopping.is_set():
            master.close()
        else:
            master.drain()
            error = error or master.error(task)
        run.told = replace(
            run.told,
            status="failed" if error else "finished",
            error=error,
            progress=run.told.progress if error else 1.0,
            date_ns=self._clock.now_ns(),
            stats={} if run.stopping.is_set() else master.stats(task),
        )
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        """What came of the oldest that are over; then that they were."""
        over = [name for name, each in self._runs.items() if each.told.status != "running"]
        for name in over[: max(0, len(over) - MASTERS_MAX)]:
            self._runs[name].master = None
        for name in over[: max(0, len(over) - RECORDS_MAX)]:
            del self._runs[name]


def _ended(run: Run, within_s: float | None = None) -> None:
    run.stopping.set()
    if run.master and not run.thread:
        run.master.close(within_s)
    elif run.thread and run.thread is not threading.current_thread():
        run.thread.join(within_s)
