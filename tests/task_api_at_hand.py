"""The task API of `tasks_at_hand` behind a plain server in a thread, as the display asks it; and one that answers as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tasks_at_hand import TaskServer

Respond = Callable[[str, str, bytes, Mapping[str, str]], tuple[int, bytes]]
"""Of a method, a path, a body and headers, whose names are in small letters."""


@contextmanager
def answering(respond: Respond) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = respond(
                self.command, self.path, body, {name.lower(): value for name, value in self.headers.items()}
            )
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def served(tasks: TaskServer) -> Iterator[str]:
    def respond(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        named = {name.replace("-", "_"): value for name, value in headers.items()}
        answer = tasks.ask_at(method, path, body, **named)
        return answer.status, b"" if answer.status == 204 else json.dumps(answer.told).encode()

    with answering(respond) as url:
        yield url


def nobody() -> str:
    """The address of a server that has gone."""
    with answering(lambda *_: (204, b"")) as url:
        return url


def body_of(told: Any) -> bytes:
    return json.dumps(told).encode()
