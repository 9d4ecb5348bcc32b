"""The two ways to serve connections: eventlet's green threads in this thread, or a thread of the system for each.

Both do the same four things, so that the rest does not know which one it has. Nothing is monkey-patched: drivers of
queue and stores run in plain threads and never meet eventlet's hub.
"""

from __future__ import annotations

import socket
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, Protocol

from pipeline_display.settings import AsyncMode
from pipeline_display.wakeup import Bell

Application = Callable[..., Any]
SWITCH_S = 0.02
"""How long a thread may compute while others wait. A page has three threads; with hundreds of pages most of them wait for
their turn at once, each asks for it again after this time, and the asking itself costs: on two busy cores 200 clients took
125 % of a core at 1 ms, 64 % at Python's own 5 ms, 59 % at 20 ms; the 99th percentile of the latency was 246, 78, 55 ms."""


class Mode(Protocol):
    def spawn(self, run: Callable[[], None]) -> None:
        """Run it beside the others; it ends with the process."""

    def wait(self, bell: Bell, timeout_s: float) -> bool:
        """Wait for the bell while others run."""

    def serve(self, listening: socket.socket, application: Application) -> None:
        """Answer requests on `listening` from now on; returns at once."""

    def stop(self) -> None:
        """Take no more connections."""


class EventletMode:
    def __init__(self) -> None:
        with warnings.catch_warnings():
            # eventlet 0.41 says at import that it is in maintenance mode. This project knows (`threading` is the way
            # out), and whoever starts the page can do nothing about it. Only this message, only here.
            warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated\.", category=Warning)
            import eventlet
            import eventlet.wsgi
        self._eventlet = eventlet
        self._servers: list[Any] = []

    def spawn(self, run: Callable[[], None]) -> None:
        self._eventlet.spawn(run)

    def wait(self, bell: Bell, timeout_s: float) -> bool:
        return bell.wait_in_hub(timeout_s)

    def serve(self, listening: socket.socket, application: Application) -> None:
        from eventlet.greenio import GreenSocket

        green = GreenSocket(listening)
        run = self._eventlet.wsgi.server
        self._servers.append(self._eventlet.spawn(run, green, application, log_output=False, debug=False))

    def stop(self) -> None:
        for server in self._servers:
            server.kill()


class ThreadingMode:
    def __init__(self) -> None:
        self._servers: list[Any] = []

    def spawn(self, run: Callable[[], None]) -> None:
        threading.Thread(target=run, daemon=True, name=run.__name__).start()

    def wait(self, bell: Bell, timeout_s: float) -> bool:
        return bell.wait(timeout_s)

    def serve(self, listening: socket.socket, application: Application) -> None:
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Handler(WSGIRequestHandler):
            def log_request(self, *_: object) -> None:
                """A request is no news."""

            def log_error(self, *_: object) -> None:
                """Nor is what a closing WebSocket leaves behind, which werkzeug takes for a bad request."""

        sys.setswitchinterval(SWITCH_S)
        host, port = listening.getsockname()[:2]
        server = make_server(host, port, application, threaded=True, request_handler=Handler, fd=listening.detach())
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()


def mode_of(name: AsyncMode) -> Mode:
    return EventletMode() if name == "eventlet" else ThreadingMode()
