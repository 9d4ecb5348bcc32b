"""Requests of the task API as Granian's RSGI brings them.

In:      a scope and a protocol; a body arrives within `request_within_s` and has at most `body_bytes_max` bytes.
Out:     the application's response, made by a thread. No more of a body is kept than is allowed, and of large ones only as many
         at a time as there is room for.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from pipeline_processing.tasks.api.app import App
    from pipeline_processing.tasks.api.messages import Request, Response
    from pipeline_processing.tasks.settings import TasksSettings

DROPPED_BYTES_MAX = 1 << 26
"""How much of a body that is too large is read, so that its sender gets to read the response."""
WRITE = "/write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """Who is asked by another server has threads of his own: two that ask each other must not wait in a circle."""

    writers: Executor
    forwarded: Executor
    others: Executor

    def of(self, request: Request) -> Executor:
        from pipeline_processing.tasks.api.elsewhere import FORWARDED

        if request.path.endswith(WRITE):
            return self.writers
        return self.forwarded if FORWARDED in request.headers else self.others


class TooLarge(Exception):
    """The body is larger than allowed."""


class Requests:
    """Of one process, on its event loop."""

    def __init__(self, app: App, settings: TasksSettings, threads: Threads) -> None:
        from pipeline_input.collector.patience import Patience
        from pipeline_input.collector.room import Room

        self._app, self._settings = app, settings
        self._threads = threads
        self._patience, self._room = Patience(settings.request_within_s), Room()

    async def answer(self, scope: Any, protocol: Any) -> None:
        response = await self._response(scope, protocol)
        protocol.response_bytes(response.status, list(response.headers), response.body)

    async def _response(self, scope: Any, protocol: Any) -> Response:
        from granian.rsgi import ProtocolClosed
        from pipeline_input.collector.room import Full
        from pipeline_processing.tasks.api.messages import failed

        close = ("connection", "close")
        try:
            with self._room.taken(self._size_at_most(scope)):
                return await self._answered(scope, await self._body(protocol))
        except Full as reason:
            return failed(503, f"{reason}; nothing was done, try again", ("retry-after", "1"))
        except TooLarge:
            return failed(413, f"a request may have {self._settings.body_bytes_max:,} bytes", close)
        except TimeoutError:
            return failed(408, f"the body did not arrive within {self._settings.request_within_s} s", close)
        except ProtocolClosed:
            return failed(400, "the body ended before it was as long as `Content-Length` says", close)

    async def _answered(self, scope: Any, body: bytes) -> Response:
        from pipeline_processing.tasks.api.messages import Request

        request = Request(
            method=scope.method,
            path=scope.path,
            query=parse_qs(scope.query_string, keep_blank_values=True),
            headers=dict(scope.headers.items()),
            body=body,
        )
        threads = self._threads.of(request)
        return await asyncio.get_running_loop().run_in_executor(threads, self._app.answer, request)

    async def _body(self, protocol: Any) -> bytes:
        """Raises TooLarge, TimeoutError, ProtocolClosed."""
        return await self._patience.wait(_in_chunks(protocol, self._settings.body_bytes_max))

    def _size_at_most(self, scope: Any) -> int:
        length = scope.headers.get("content-length")
        if length is None and "transfer-encoding" not in scope.headers:
            return 0
        return self._settings.body_bytes_max if length is None else min(int(length), self._settings.body_bytes_max)


async def _in_chunks(protocol: Any, bytes_max: int) -> bytes:
    kept, size = [], 0
    async for chunk in protocol:
        size += len(chunk)
        if size <= bytes_max:
            kept.append(chunk)
        elif size > DROPPED_BYTES_MAX:
            break
    if size > bytes_max:
        raise TooLarge
    return b"".join(kept)
