"""Room for large bodies: a process holds so many bytes of them at a time, and no more.

In:      how large a body is, or may become.
Out:     its place, until the request is answered. Small bodies need none, so that large ones do not keep them out.
Refuses: (Full) a body for which there is no room now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

SMALL_BYTES = 64 * 1024
"""The longest single event is smaller."""
ROOM_BYTES = 24 * 1024 * 1024
"""As events and blocks they are some four times as large; the container has 256 MiB."""


class Full(Exception):
    """Too many large bodies are under way."""


class Room:
    """Of one process, on its event loop."""

    def __init__(self) -> None:
        self._held = 0

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Raises Full. The first one always finds room, however large it is."""
        needed = size if size > SMALL_BYTES else 0
        if needed and self._held and self._held + needed > ROOM_BYTES:
            raise Full(f"requests of {self._held:,} bytes are under way")
        self._held += needed
        try:
            yield
        finally:
            self._held -= needed
