"""How long a request's body may take to arrive.

In:      what is awaited, in a task for each request.
Out:     what came.
Refuses: (TimeoutError) what did not come in time, within a sweep's pause.
One sweep looks at all who wait. A timer for each request (`asyncio.timeout`) took a tenth of the time of a single event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

SWEEP_S = 0.25

Came = TypeVar("Came")


class Patience:
    """For one event loop."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._since: dict[asyncio.Task[object], float] = {}
        self._given_up: set[asyncio.Task[object]] = set()
        self._is_sweeping = False

    async def wait(self, coming: Awaitable[Came]) -> Came:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        self._since[task] = loop.time()
        if not self._is_sweeping:
            self._sweep_later(loop)
        try:
            return await coming
        except asyncio.CancelledError:
            if task not in self._given_up:
                raise
            task.uncancel()
            raise TimeoutError from None
        finally:
            del self._since[task]
            self._given_up.discard(task)

    def _sweep_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_sweeping = True
        loop.call_later(SWEEP_S, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        late = loop.time() - self._within_s
        for task in [task for task, since in self._since.items() if since <= late and task not in self._given_up]:
            self._given_up.add(task)
            task.cancel()
        self._is_sweeping = False
        if self._since:
            self._sweep_later(loop)
