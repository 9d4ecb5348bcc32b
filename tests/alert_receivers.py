"""Who is told of alerts, on loopback: servers for HTTP, TCP and mail that keep what they got."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from waiting import PATIENCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Receiver:
    """What came, in order; `wait_for` returns when so many have come."""

    port: int = 0
    got: list[Any] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def keep(self, it: Any) -> None:
        with self.changed:
            self.got.append(it)
            self.changed.notify_all()

    def wait_for(self, many: int) -> list[Any]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= many, PATIENCE_S), f"{len(self.got)} of {many} came"
            return list(self.got)


Answer = Callable[[Got], int]
"""The status for a request; may wait."""


@contextmanager
def http_receiver(answer: Answer = lambda _: 200, port: int = 0, said: bytes = b"") -> Iterator[Receiver]:
    """It keeps a request after it has decided what to answer, and before it does."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got(path=self.path, headers=dict(self.headers.items()), body=body)
            status = answer(got)
            receiver.keep(got)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def do_GET(self) -> None:
            receiver.keep(Got(path=self.path, headers={}, body=b""))
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's name)
            """Tests look at what was kept."""

    with _served(ThreadingHTTPServer(("127.0.0.1", port), Handler)) as server:
        receiver.port = server.server_address[1]
        yield receiver


@contextmanager
def tcp_receiver(answer: bytes = b"") -> Iterator[Receiver]:
    """Each connection's bytes: up to its end, or up to a newline that is answered."""
    receiver = Receiver()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            receiver.keep(self.rfile.readline() if answer else self.rfile.read())
            self.wfile.write(answer)

    with _served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as server:
        receiver.port = server.server_address[1]
        yield receiver


@contextmanager
def mail_receiver(refusal: str = "") -> Iterator[Receiver]:
    """A mail server that keeps (from, to, text); with a refusal, such as `450 later`, it answers every RCPT by that."""
    receiver = Receiver()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 here")
            sender, to = "", []
            while line := self.rfile.readline().decode().strip():
                verb = line.upper()
                if verb.startswith("MAIL"):
                    sender = line[10:].split(">")[0].strip("<")
                elif verb.startswith("RCPT") and not refusal:
                    to.append(line[8:].strip("<>"))
                elif verb == "DATA":
                    self.say("354 go on")
                    receiver.keep((sender, to, b"".join(iter(self.rfile.readline, b".\r\n"))))
                self.say(refusal if refusal and verb.startswith("RCPT") else "221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

    with _served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as server:
        receiver.port = server.server_address[1]
        yield receiver


def closed_port() -> int:
    """On which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@contextmanager
def _served(server: Any) -> Iterator[Any]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
