"""What a command cannot do.

CommandError
├── FolderInUse    another demo works in the data folder
├── NoDemo         a command needs a queue and none is set or found
└── JobNotDone     a job was refused, failed, or nobody answered
"""

from __future__ import annotations

from pathlib import Path


class CommandError(Exception):
    """Anything that a command refuses or cannot do."""


class FolderInUse(CommandError):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"another demo works in `{folder}`; stop it, or choose another folder with --data-dir")


class NoDemo(CommandError):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"there is no queue in `{folder}`; start `pipeline demo` here, or set QUEUE_URL")


class JobNotDone(CommandError):
    """A job was refused, failed, or nobody answered."""
