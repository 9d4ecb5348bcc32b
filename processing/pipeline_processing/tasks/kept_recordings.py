"""Recordings in a folder: a Parquet file each (pipeline_queue/recordings/parquet.py), and what is told of it in a file beside it.

In:      the queue's points (point_log.py).
Out:     see recordings.py; `blocks` gives a recording's points again. What was being recorded when the process ended has failed.
Refuses: (Refused) ids that are taken or too long for a file, batch recordings, queries that selection.py refuses.
A folder belongs to one process at a time, from the first question to `close`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import msgspec
import pyarrow as pa
from pipeline_output.state.definitions import TaskType
from pipeline_queue.brokers import Broker
from pipeline_queue.clock import Clock, SystemClock
from pipeline_queue.errors import QueueError
from pipeline_queue.points.block import PointBlock
from pipeline_queue.recordings.parquet import RecordingWriter, recorded_blocks, recorded_rows
from pipeline_queue.recordings.soundness import sound

from pipeline_processing.tasks.errors import NoRecording, Refused
from pipeline_processing.tasks.point_log import PointLog, Until
from pipeline_processing.tasks.recordings import Recording
from pipeline_processing.tasks.selection import selected
from pipeline_processing.tasks.task_master import TaskDefinition

NAME_BYTES_MAX = 200
NOT_BATCH = "batch tasks do not run here, so there is no batch to record; record a stream, or a query as one"
ENDED = "the server ended while it was recorded"

log = logging.getLogger(__name__)


class KeptRecordings:
    """See `Recordings`."""

    def __init__(self, folder: Path, open_broker: Callable[[], Broker], clock: Clock | None = None) -> None:
        self._folder, self._open_broker, self._clock = folder, open_broker, clock or SystemClock()
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._stopping: dict[str, threading.Event] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._found: dict[str, Recording] | None = None

    def create_stream(self, recording_id: str, task: TaskDefinition, *, stop_ns: int) -> Recording:
        begun = self._begun(recording_id, "stream")
        stopping = threading.Event()
        until = Until(time_ns=stop_ns, clock=self._clock, stopped=stopping.is_set)
        try:
            log_of_points = PointLog.from_now(self._open_broker, task.dbrps)
        except QueueError:
            self._forget(recording_id)
            raise
        blocks = until.cut(log_of_points.live(until))
        self._record(begun, blocks, stopping, lambda: until.progress(begun.date_ns))
        return begun

    def create_batch(self, recording_id: str, task: TaskDefinition, *, start_ns: int, stop_ns: int) -> Recording:
        raise Refused(NOT_BATCH)

    def create_query(self, recording_id: str, query: str, *, kind: TaskType) -> Recording:
        if kind != "stream":
            raise Refused(NOT_BATCH)
        return self.keep(recording_id, self.found(query)())

    def create_import(self, recording_id: str, file: bytes) -> Recording:
        """Raises BadRecording for what is no recording's file."""
        source = pa.BufferReader(file)
        recorded_rows(source)
        return self.keep(recording_id, sound(recorded_blocks(source)))

    def keep(self, recording_id: str, blocks: Iterable[PointBlock]) -> Recording:
        """Points at hand, such as another's recording, as one."""
        begun = self._begun(recording_id, "stream")
        stopping = threading.Event()
        self._record(begun, _until(blocks, stopping), stopping, lambda: 0.0)
        return begun

    def found(self, query: str) -> Callable[[], Iterable[PointBlock]]:
        """What a query finds of what the queue keeps up to now; raises Refused."""
        selection = selected(query, self._clock.now_ns())
        return lambda: selection.of(PointLog.kept(self._open_broker, [selection.dbrp]))

    def blocks(self, recording_id: str) -> Iterator[PointBlock]:
        """Its points in order; raises NoRecording."""
        self.show(recording_id)
        return recorded_blocks(self._path(recording_id, ".parquet"))

    def rows(self, recording_id: str) -> int:
        return recorded_rows(self._path(recording_id, ".parquet"))

    def show(self, recording_id: str) -> Recording:
        with self._lock:
            found = self._told.get(recording_id)
        if found is None:
            raise NoRecording
        return found

    def every(self) -> list[Recording]:
        with self._lock:
            return sorted(self._told.values(), key=lambda each: (each.date_ns, each.id), reverse=True)

    def delete(self, recording_id: str) -> None:
        self._end(recording_id)
        self._forget(recording_id)

    def wait(self, recording_id: str, within_s: float | None = None) -> Recording:
        """Until it is over, or so long; raises NoRecording."""
        thread = self._threads.get(recording_id)
        if thread:
            thread.join(within_s)
        return self.show(recording_id)

    def close(self) -> None:
        """End those that run; what they have is lost. The folder may be another's then."""
        for recording_id in list(self._threads):
            self._end(recording_id)
        with self._lock:
            self._found = None

    @property
    def _told(self) -> dict[str, Recording]:
        """By id; read from the folder when it is first asked for, by who holds the lock."""
        if self._found is None:
            self._found = {each.id: each for each in self._read()}
        return self._found

    def _begun(self, recording_id: str, kind: TaskType) -> Recording:
        if len(self._path(recording_id, "").name.encode()) > NAME_BYTES_MAX:
            raise Refused(
                f"a recording's ID may have {NAME_BYTES_MAX} bytes as a file's name; `{recording_id}` has more"
            )
        begun = Recording(id=recording_id, type=kind, date_ns=self._clock.now_ns())
        with self._lock:
            if recording_id in self._told:
                raise Refused(f"recording {recording_id} already exists")
            self._told[recording_id] = begun
        self._tell(begun)
        return begun

    def _record(
        self, begun: Recording, blocks: Iterable[PointBlock], stopping: threading.Event, progress: Callable[[], float]
    ) -> None:
        thread = threading.Thread(
            target=self._write, args=(begun, blocks, stopping, progress), name=f"record-{begun.id}", daemon=True
        )
        for over in [name for name, each in list(self._threads.items()) if not each.is_alive()]:
            self._threads.pop(over, None)
            self._stopping.pop(over, None)
        self._stopping[begun.id], self._threads[begun.id] = stopping, thread
        thread.start()

    def _write(
        self, begun: Recording, blocks: Iterable[PointBlock], stopping: threading.Event, progress: Callable[[], float]
    ) -> None:
        error, size = "", 0
        writer = RecordingWriter(self._path(begun.id, ".parquet"))
        try:
            for block in blocks:
                if len(block):
                    writer.add(block)
                self._update(replace(begun, size_bytes=writer.size_bytes, progress=progress()))
            if stopping.is_set():
                error = ENDED
            else:
                size = writer.finish()
        except (QueueError, OSError) as cause:
            error = str(cause)
        except Exception as cause:
            log.exception("recording %s met a defect", begun.id)
            error = f"{type(cause).__name__}: {cause}"
        if error:
            writer.discard()
        over = replace(
            begun,
            status="failed" if error else "finished",
            error=error,
            size_bytes=size,
            progress=0.0 if error else 1.0,
            date_ns=self._clock.now_ns(),
        )
        if self._update(over):
            self._tell(over)

    def _update(self, told: Recording) -> bool:
        with self._lock:
            if is_there := told.id in self._told:
                self._told[told.id] = told
        return is_there

    def _end(self, recording_id: str) -> None:
        if stopping := self._stopping.pop(recording_id, None):
            stopping.set()
        if thread := self._threads.pop(recording_id, None):
            thread.join()

    def _forget(self, recording_id: str) -> None:
        with self._lock:
            self._told.pop(recording_id, None)
        for suffix in (".json", ".parquet"):
            self._path(recording_id, suffix).unlink(missing_ok=True)

    def _tell(self, told: Recording) -> None:
        path = self._path(told.id, ".json")
        beside = path.with_suffix(".json-new")
        beside.write_bytes(msgspec.json.encode(told))
        beside.replace(path)

    def _read(self) -> Iterator[Recording]:
        """What earlier processes have left; half of a recording is none."""
        for path in self._folder.glob("*.spool"):
            path.unlink()
        for path in self._folder.glob("*.json"):
            told = msgspec.json.decode(path.read_bytes(), type=Recording)
            if told.status == "running":
                told = replace(told, status="failed", error=ENDED)
                self._tell(told)
            yield told

    def _path(self, recording_id: str, suffix: str) -> Path:
        return self._folder / f"{quote(recording_id, safe='')}{suffix}"


def _until(blocks: Iterable[PointBlock], stopping: threading.Event) -> Iterator[PointBlock]:
    for block in blocks:
        if stopping.is_set():
            return
        yield block
