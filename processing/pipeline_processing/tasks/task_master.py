"""What the API asks of the engine.

A task is compiled when it is made; it runs from `start_task` to `stop_task`, or until it fails. Every method may be called from
any thread, and returns within seconds however busy the tasks are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from pipeline_output.state.definitions import Dbrp, TaskType
from pipeline_queue.brokers import Term

from pipeline_processing.engine.left import Told
from pipeline_processing.tickscript.errors import TickError

ScriptError: TypeAlias = TickError
"""What `new_task` raises for a script that is wrong: its text begins with `line L char C:`."""
DotView = Literal["attributes", "labels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition:
    """What a task is compiled from."""

    id: str
    type: TaskType
    script: str
    dbrps: tuple[Dbrp, ...]
    vars: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By name `{"type": .., "value": .., "description": ..}`, as variables.py has made sure of."""
    version: int = 0
    """Of the definition; no two of a store have the same."""
    from_ns: int | None = None
    """The time of the queue at which it begins to read; that of its first start if it is None."""
    term: Term | None = None
    """In which it is held, where others may hold it after; None where nobody else can run it."""


class Task(Protocol):
    """A compiled one."""

    @property
    def definition(self) -> TaskDefinition: ...

    def dot(self) -> str:
        """Its graph without counters."""


class TaskMaster(Protocol):
    def new_task(self, definition: TaskDefinition) -> Task:
        """Compile it; raises ScriptError. Nothing runs yet."""

    def start_task(self, task: Task) -> None:
        """Raises ProcessingError where it cannot run; one that runs under the same id must have been stopped."""

    def stop_task(self, task_id: str) -> None:
        """No harm if it does not run."""

    def abandon_task(self, task_id: str) -> None:
        """Stop it without keeping where it is: it is held by another, who goes on."""

    def forget_kept(self, name: str) -> None:
        """Remove what a task of this name has kept for its next start; its `term` has the name, else it is the id."""

    def forget_others(self, known: Callable[[], Iterable[str]], *, begin: str) -> None:
        """Remove what tasks have kept whose names begin so and are not among `known`."""

    def is_executing(self, task_id: str) -> bool: ...

    def get_output(self, task_id: str, endpoint: str) -> bytes:
        """`{"series": [..]}` of an httpOut; raises UnknownEndpoint, or ProcessingError for what JSON cannot say."""

    def alerts(self, task_id: str) -> Sequence[Told]:
        """Of one whose outcome is kept, as a replay's is: in the order of the points that caused them, then of the nodes.

        Raises NoTask.
        """

    def endpoints(self, task_id: str) -> list[str]:
        """Of its httpOuts; empty if it does not run."""

    def stats(self, task_id: str) -> Mapping[str, Any]:
        """`{"task-stats": {"throughput": 1.5}, "node-stats": {"from1": {"collected": 1, ..}}}` of one that runs."""

    def edges(self, task_id: str) -> list[tuple[str, str, str, int]]:
        """Of one that runs: parent, child, `stream` or `batch`, and how many points went over it; the first leads into it."""

    def topics(self, task_id: str) -> Mapping[str, int]:
        """How many alerts of one that runs each topic has heard, by its name."""

    def dot(self, task_id: str, view: DotView) -> str:
        """The graph of one that runs, with its counters."""

    def error(self, task_id: str) -> str:
        """Why it stopped by itself; empty if it did not, or if it is not known."""

    def drain(self) -> None:
        """Return when all that was written is computed."""

    def snapshot_task(self, task_id: str) -> bytes: ...

    def new(self) -> TaskMaster:
        """One of its own, without tasks, for a replay."""

    def write_points(self, database: str, retention_policy: str, batches: Iterable[Any]) -> None:
        """Points that come from a recording or a test, and not from the queue."""
