"""What handling tasks can run into; each class has the HTTP status that it is answered with.

TaskError
├── Refused           400  what was asked makes no sense, as it says
│   ├── BadTaskId     an id with other characters than letters, digits, `-`, `.` and `_`
│   ├── BadScript     a script that is wrong, and where
│   └── BadTest       a test file that is wrong, and where
├── Missing           404  what was asked for is not there
│   ├── NoTask        no task has this id
│   ├── NoRecording   no recording has this id
│   ├── NoReplay      no replay has this id
│   ├── NoAlertNode   the task has no node of this name
│   └── UnknownEndpoint  the task has no such httpOut, or does not run
├── Conflict          409  somebody else changed it meanwhile
├── Away              503  the server that holds the task does not answer
├── Misfit            500  a server that cannot share tasks with one that is there
├── NotStarted        500  a task whose definition is sound did not start
└── Broken            500  a task that was tried out stopped by itself
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pipeline_output.state import Server

from pipeline_processing.errors import ProcessingError


class TaskError(ProcessingError):
    """Anything that is refused, is not there, or does not work about a task."""

    status: ClassVar[int] = 500


class Refused(TaskError):
    status = 400


class BadTaskId(Refused):
    def __init__(self, kind: str, found: str) -> None:
        super().__init__(f"{kind} ID must contain only letters, numbers, '-', '.' and '_'. \"{found}\"")


class BadScript(Refused):
    def __init__(self, cause: object) -> None:
        super().__init__(f"invalid TICKscript: {cause}")


class BadTest(Refused):
    def __init__(self, reason: str, *, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")


class Missing(TaskError):
    status = 404


class NoTask(Missing):
    def __init__(self) -> None:
        super().__init__("no task exists")


class NoRecording(Missing):
    def __init__(self, told: str = "no recording exists") -> None:
        super().__init__(told)


class NoReplay(Missing):
    def __init__(self) -> None:
        super().__init__("no replay exists")


class NoAlertNode(Missing):
    def __init__(self, node: str, *, known: Iterable[str]) -> None:
        super().__init__(f"no node is called {node}; there are {', '.join(known)}")


class UnknownEndpoint(Missing):
    def __init__(self, task_id: str, endpoint: str, *, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known))
        there_are = f"there are {names}" if names else "it has none, or does not run"
        super().__init__(f"task {task_id} has no endpoint {endpoint}; {there_are}")


class Conflict(TaskError):
    status = 409


class Away(TaskError):
    status = 503

    def __init__(self, address: str, cause: object) -> None:
        super().__init__(
            f"{address}, which holds it, does not answer ({cause}); others take over what it held, try again"
        )


class Misfit(TaskError):
    def __init__(self, here: Server, there: Server) -> None:
        why = (
            f"both say that others reach them at {here.address}: set TASKS_ADVERTISED_URL"
            if here.address == there.address
            else "it has another TASKS_DIR: servers that share TASKS_STATE_URL share that folder, too"
        )
        super().__init__(f"{here.place} cannot share tasks with {there.place}: {why}")


class NotStarted(TaskError):
    def __init__(self, task_id: str, cause: object) -> None:
        super().__init__(f"task {task_id} is kept but did not start: {cause}")


class Broken(TaskError):
    def __init__(self, task_id: str, cause: object) -> None:
        super().__init__(f"task {task_id} stopped by itself: {cause}")
