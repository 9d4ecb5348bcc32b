"""A bell between threads of the system and the one that serves the pages.

Feeds run in threads of their own, so that a slow store or broker never holds up the web server. They ring; the server's
loop waits. A pipe does that in both modes: eventlet's hub can wait for one, and so can a thread.
"""

from __future__ import annotations

import contextlib
import os
import select


class Bell:
    """`ring` from any thread or signal handler; `wait` in one place. Rings before a wait count as one."""

    def __init__(self) -> None:
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        os.set_blocking(self._write_fd, False)

    def ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # A full pipe rings already.
            os.write(self._write_fd, b"!")

    def wait(self, timeout_s: float) -> bool:
        """Return True when it rang, False after `timeout_s`. Blocks this thread."""
        ready, _, _ = select.select([self._read_fd], [], [], timeout_s)
        return bool(ready) and self._drain()

    def wait_in_hub(self, timeout_s: float) -> bool:
        """The same, for a green thread of eventlet: the hub serves others meanwhile."""
        from eventlet.hubs import trampoline
        from eventlet.timeout import Timeout

        with Timeout(timeout_s, False):
            trampoline(self._read_fd, read=True)
            return self._drain()
        return False

    def _drain(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read_fd, 4096):
                pass
        return True
