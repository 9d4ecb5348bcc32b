"""What the API asks of recordings: points kept in a file, to be replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from pipeline_output.state.definitions import TaskType

from pipeline_processing.tasks.task_master import TaskDefinition

Standing = Literal["running", "finished", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    id: str
    type: TaskType
    size_bytes: int = 0
    date_ns: int
    """When it was begun; once it is over, when it ended."""
    error: str = ""
    status: Standing = "running"
    progress: float = 0.0
    """From 0 to 1."""


class Recordings(Protocol):
    """Each `create_` begins and returns; raises Refused for an id that is taken."""

    def create_stream(self, recording_id: str, task: TaskDefinition, *, stop_ns: int) -> Recording:
        """What comes to the task's databases until then, by data time or by the clock, whichever is there first."""

    def create_batch(self, recording_id: str, task: TaskDefinition, *, start_ns: int, stop_ns: int) -> Recording:
        """What the task's queries find between these times."""

    def create_query(self, recording_id: str, query: str, *, kind: TaskType) -> Recording:
        """What one query finds."""

    def create_import(self, recording_id: str, file: bytes) -> Recording:
        """What another recording's file holds (pipeline_queue/recordings/parquet.py); raises BadRecording where it is none."""

    def show(self, recording_id: str) -> Recording:
        """Raises NoRecording."""

    def every(self) -> list[Recording]:
        """The newest first."""

    def delete(self, recording_id: str) -> None:
        """No harm if there is none."""

    def close(self) -> None:
        """End those that run: another server does this now, or nobody."""
