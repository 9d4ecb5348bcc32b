"""What can go wrong in the display.

DisplayError
├── PortTaken   another process listens where the pages should be
└── TasksAway   the task API does not answer, or not so that a page could show it
"""

from __future__ import annotations


class DisplayError(Exception):
    """Anything the display refuses or cannot do."""


class PortTaken(DisplayError):
    def __init__(self, host: str, port: int, *, holder: str) -> None:
        super().__init__(f"port {port} on {host} is taken by {holder}; stop it, or choose another with DISPLAY_PORT")


class TasksAway(DisplayError):
    def __init__(self, url: str, *, cause: str) -> None:
        super().__init__(f"the task API at {url} does not answer: {cause}")
