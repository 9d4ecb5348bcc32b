"""A task master, recordings and replays in memory: they compile with the real parser, run nothing, and say so.

A task that runs holds whatever a test puts into its httpOuts; scripts that name `broken` do not start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline_processing.engine.left import Told
from pipeline_processing.errors import ProcessingError
from pipeline_processing.tasks.errors import NoRecording, NoReplay, NoTask, Refused, UnknownEndpoint
from pipeline_processing.tasks.recordings import Recording
from pipeline_processing.tasks.replays import Replay, Timing
from pipeline_processing.tasks.task_master import TaskDefinition
from pipeline_processing.tickscript.calls import NodeCall, Script
from pipeline_processing.tickscript.evaluate import evaluate
from pipeline_processing.tickscript.given import given_values
from pipeline_processing.tickscript.parser import parse
from pipeline_processing.tickscript.syntax import String
from pipeline_queue.clock import Clock
from tickscript_words import WORDS

COUNTERS = ("avg_exec_time_ns", "collected", "emitted", "errors", "working_cardinality")
OF_ALERTS = (
    *("alerts_inhibited", "alerts_triggered", "crits_triggered", "infos_triggered", "oks_triggered", "warns_triggered"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTask:
    definition: TaskDefinition
    script: Script

    def dot(self) -> str:
        edges = "".join(f"{before} -> {after};\n" for before, after in self.edges())
        return f"digraph {self.definition.id} {{\n{edges}}}"

    def edges(self) -> list[tuple[str, str]]:
        return [(parent, call.name) for call in self.script.calls for parent in call.parents]

    def endpoints(self) -> list[str]:
        return [_text(call) for call in self.script.calls if call.kind == "httpOut"]


@dataclass
class MemoryTaskMaster:
    """See `TaskMaster`."""

    running: dict[str, MemoryTask] = field(default_factory=dict)
    outputs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    told: dict[str, list[Told]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    started: list[tuple[str, int]] = field(default_factory=list)
    """Ids and versions, in order."""
    forgotten: list[str] = field(default_factory=list)

    def new_task(self, definition: TaskDefinition) -> MemoryTask:
        return MemoryTask(
            definition=definition, script=evaluate(parse(definition.script), WORDS, given_values(definition.vars))
        )

    def start_task(self, task: MemoryTask) -> None:
        assert task.definition.id not in self.running
        if "broken" in task.definition.script:
            raise ProcessingError("told not to start")
        self.started.append((task.definition.id, task.definition.version))
        self.running[task.definition.id] = task
        self.errors.pop(task.definition.id, None)

    def stop_task(self, task_id: str) -> None:
        self.running.pop(task_id, None)

    def abandon_task(self, task_id: str) -> None:
        self.stop_task(task_id)

    def forget_kept(self, name: str) -> None:
        self.forgotten.append(name)

    def forget_others(self, known: Callable[[], Iterable[str]], *, begin: str) -> None:
        self.forgotten.append(f"others than {', '.join(known())}")

    def fail(self, task_id: str, error: str) -> None:
        """As a task does that meets what it cannot go on with."""
        self.stop_task(task_id)
        self.errors[task_id] = error

    def is_executing(self, task_id: str) -> bool:
        return task_id in self.running

    def get_output(self, task_id: str, endpoint: str) -> bytes:
        if endpoint not in self.endpoints(task_id):
            raise UnknownEndpoint(task_id, endpoint, known=self.endpoints(task_id))
        return self.outputs.get((task_id, endpoint), b'{"series":[]}')

    def alerts(self, task_id: str) -> list[Told]:
        return self.told.get(task_id, [])

    def endpoints(self, task_id: str) -> list[str]:
        return self.running[task_id].endpoints() if task_id in self.running else []

    def stats(self, task_id: str) -> Mapping[str, Any]:
        nodes = {call.name: _counters(call) for call in self._task(task_id).script.calls}
        return {"task-stats": {"throughput": 0.0}, "node-stats": dict(sorted(nodes.items()))}

    def edges(self, task_id: str) -> list[tuple[str, str, str, int]]:
        return [("stream", "stream0", "stream", 0), *((*edge, "stream", 0) for edge in self._task(task_id).edges())]

    def topics(self, task_id: str) -> Mapping[str, int]:
        calls = self._task(task_id).script.calls
        return {f"main:{task_id}:{call.name}": 0 for call in calls if call.kind == "alert"}

    def dot(self, task_id: str, view: str) -> str:
        return f"{self._task(task_id).dot()} // {view}"

    def error(self, task_id: str) -> str:
        return self.errors.get(task_id, "")

    def drain(self) -> None:
        """Nothing waits."""

    def snapshot_task(self, task_id: str) -> bytes:
        return self._task(task_id).definition.id.encode()

    def new(self) -> MemoryTaskMaster:
        return MemoryTaskMaster()

    def write_points(self, database: str, retention_policy: str, batches: Iterable[Any]) -> None:
        raise ProcessingError("points are not taken here")

    def _task(self, task_id: str) -> MemoryTask:
        if task_id not in self.running:
            raise NoTask
        return self.running[task_id]


def _text(call: NodeCall) -> str:
    (name,) = call.arguments
    assert isinstance(name, String)
    return name.value


def _counters(call: NodeCall) -> dict[str, int]:
    return dict.fromkeys(sorted(COUNTERS + OF_ALERTS if call.kind == "alert" else COUNTERS), 0)


@dataclass
class MemoryRecordings:
    """See `Recordings`. Each runs until a test finishes it."""

    clock: Clock
    kept: dict[str, Recording] = field(default_factory=dict)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def create_stream(self, recording_id: str, task: TaskDefinition, *, stop_ns: int) -> Recording:
        self.asked.append((recording_id, task.id, stop_ns))
        return self._begun(recording_id, "stream")

    def create_batch(self, recording_id: str, task: TaskDefinition, *, start_ns: int, stop_ns: int) -> Recording:
        self.asked.append((recording_id, task.id, start_ns, stop_ns))
        return self._begun(recording_id, "batch")

    def create_query(self, recording_id: str, query: str, *, kind: Any) -> Recording:
        self.asked.append((recording_id, query, kind))
        return self._begun(recording_id, kind)

    def create_import(self, recording_id: str, file: bytes) -> Recording:
        self.asked.append((recording_id, file))
        return self._begun(recording_id, "stream")

    def finish(self, recording_id: str, **result: Any) -> None:
        over = {"status": "finished", "progress": 1.0, "date_ns": self.clock.now_ns()}
        self.kept[recording_id] = replace(self.kept[recording_id], **over | result)

    def show(self, recording_id: str) -> Recording:
        if recording_id not in self.kept:
            raise NoRecording
        return self.kept[recording_id]

    def every(self) -> list[Recording]:
        return list(self.kept.values())[::-1]

    def delete(self, recording_id: str) -> None:
        self.kept.pop(recording_id, None)

    def close(self) -> None:
        """Nothing runs by itself."""

    def _begun(self, recording_id: str, kind: Any) -> Recording:
        if recording_id in self.kept:
            raise Refused(f"recording {recording_id} already exists")
        self.kept[recording_id] = Recording(id=recording_id, type=kind, date_ns=self.clock.now_ns())
        return self.kept[recording_id]


@dataclass
class MemoryReplays:
    """See `Replays`. Each runs until a test finishes it."""

    clock: Clock
    recordings: MemoryRecordings
    kept: dict[str, Replay] = field(default_factory=dict)
    masters: dict[str, MemoryTaskMaster] = field(default_factory=dict)

    def create(self, replay_id: str, task: TaskDefinition, recording_id: str, timing: Timing) -> Replay:
        try:
            self.recordings.show(recording_id)
        except NoRecording as error:
            raise NoRecording(f"recording not found: {error}") from None
        return self._begun(replay_id, task, timing, recording_id)

    def create_batch(
        self, replay_id: str, task: TaskDefinition, timing: Timing, *, start_ns: int, stop_ns: int
    ) -> Replay:
        return self._begun(replay_id, task, timing, "")

    def create_query(self, replay_id: str, task: TaskDefinition, timing: Timing, *, query: str) -> Replay:
        return self._begun(replay_id, task, timing, "")

    def finish(self, replay_id: str, **result: Any) -> None:
        over = {"status": "finished", "progress": 1.0, "date_ns": self.clock.now_ns()}
        self.kept[replay_id] = replace(self.kept[replay_id], **over | result)

    def show(self, replay_id: str) -> Replay:
        if replay_id not in self.kept:
            raise NoReplay
        return self.kept[replay_id]

    def every(self) -> list[Replay]:
        return list(self.kept.values())[::-1]

    def delete(self, replay_id: str) -> None:
        self.kept.pop(replay_id, None)
        self.masters.pop(replay_id, None)

    def close(self) -> None:
        """Nothing runs by itself."""

    def task_master(self, replay_id: str) -> MemoryTaskMaster | None:
        return self.masters.get(replay_id)

    def _begun(self, replay_id: str, task: TaskDefinition, timing: Timing, recording_id: str) -> Replay:
        if replay_id in self.kept:
            raise Refused(f"replay {replay_id} already exists")
        self.masters[replay_id] = MemoryTaskMaster()
        self.masters[replay_id].start_task(self.masters[replay_id].new_task(task))
        self.kept[replay_id] = Replay(
            id=replay_id,
            task=task.id,
            recording=recording_id,
            clock=timing.clock,
            recording_time=timing.recording_time,
            date_ns=self.clock.now_ns(),
        )
        return self.kept[replay_id]
