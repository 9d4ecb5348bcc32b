"""What the API asks of replays: a recording run through an isolated copy of a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pipeline_processing.tasks.recordings import Standing
from pipeline_processing.tasks.task_master import TaskDefinition, TaskMaster

ReplayClock = Literal["fast", "real"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    id: str
    task: str
    recording: str
    recording_time: bool = False
    """Points keep their recorded times, instead of beginning now."""
    clock: ReplayClock = "fast"
    date_ns: int
    """When it was begun; once it is over, when it ended."""
    error: str = ""
    status: Standing = "running"
    progress: float = 0.0
    """From 0 to 1."""
    stats: Mapping[str, Any] = field(default_factory=dict)
    """As TaskMaster.stats has them, once it is finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How a replay's points come."""

    clock: ReplayClock = "fast"
    recording_time: bool = False


class Replays(Protocol):
    """Each `create` begins and returns; raises Refused for an id that is taken."""

    def create(self, replay_id: str, task: TaskDefinition, recording_id: str, timing: Timing) -> Replay:
        """Of a recording; raises NoRecording."""

    def create_batch(
        self, replay_id: str, task: TaskDefinition, timing: Timing, *, start_ns: int, stop_ns: int
    ) -> Replay:
        """Of what the task's queries find between these times, without a recording."""

    def create_query(self, replay_id: str, task: TaskDefinition, timing: Timing, *, query: str) -> Replay:
        """Of what one query finds, without a recording."""

    def show(self, replay_id: str) -> Replay:
        """Raises NoReplay."""

    def every(self) -> list[Replay]:
        """The newest first."""

    def delete(self, replay_id: str) -> None:
        """Ends it if it runs; no harm if there is none."""

    def close(self) -> None:
        """End those that run: another server does this now, or nobody."""

    def task_master(self, replay_id: str) -> TaskMaster | None:
        """In which it runs or ran, as long as that is kept."""
