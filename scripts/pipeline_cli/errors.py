"""What a command cannot do.

CommandError
├── FolderInUse    another demo works in the data folder
├── NoDemo         a command needs a queue and none is set or found
├── JobNotDone     a job was refused, failed, or nobody answered
├── BooksDiffer    events are lost or there twice
├── NoEventId      a text that is no event's id
├── UnknownEvent   an id of which neither ledgers nor topics know
├── OpenToAll      an API without a token on an address that others reach
├── AddressTaken   an address that cannot be listened on
├── TaskApiAway    the task API does not answer
├── TaskRefused    what the task API refuses, in its words
└── UnknownService a name that no service has
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class CommandError(Exception):
    """Anything that a command refuses or cannot do."""


class FolderInUse(CommandError):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"another demo works in `{folder}`; stop it, or choose another folder with --data-dir")


class NoDemo(CommandError):
    def __init__(self, folder: Path, *, setting: str) -> None:
        super().__init__(f"nothing of a pipeline is in `{folder}`; start `pipeline demo` here, or set {setting}")


class JobNotDone(CommandError):
    """A job was refused, failed, or nobody answered."""


class BooksDiffer(CommandError):
    def __init__(self, *, lost: int, twice: int, missing: str) -> None:
        first = f"; the first that are missing: {missing}" if missing else ""
        super().__init__(f"{lost:,} events are lost, {twice:,} are there twice{first}; `pipeline trace ID` follows one")


class NoEventId(CommandError):
    def __init__(self, text: str) -> None:
        super().__init__(
            f"`{text}` is no event's id; one is `PRODUCER-SEQ`, as in `random-numbers-0a1b2c3d-000000000042`: "
            "`pipeline topics tail TOPIC` shows some"
        )


class UnknownEvent(CommandError):
    def __init__(self, event_id: str) -> None:
        super().__init__(
            f"neither a ledger nor a topic knows `{event_id}`; ledgers of another machine, or a topic's retention, may be why"
        )


class OpenToAll(CommandError):
    def __init__(self, host: str) -> None:
        super().__init__(
            f"the task API has no token, so it must not listen on {host}, where other machines reach it: give it one in "
            "TASKS_TOKEN, or say TASKS_OPEN=network if its network is yours alone"
        )


class AddressTaken(CommandError):
    def __init__(self, host: str, port: int, cause: OSError, *, setting: str) -> None:
        super().__init__(f"{host}:{port} cannot be listened on: {cause.strerror}; choose another in {setting}")


class TaskApiAway(CommandError):
    def __init__(self, url: str, *, cause: object) -> None:
        super().__init__(
            f"the task API at {url} does not answer: {cause}; start `pipeline tasks`, or say where it is with --url or TASKS_URL"
        )


class TaskRefused(CommandError):
    """What the task API refuses, in its words."""


class UnknownService(CommandError):
    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        names = list(known)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(names)}"
        super().__init__(f"no service is called `{name}`{hint}")
