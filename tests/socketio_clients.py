"""Many pages without a screen in one process, each as light as can be: a WebSocket read by hand, and four counters.

    python tests/socketio_clients.py PORT COUNT

In:   on standard input `measure` (latencies count from now on), `report`, and the end of input, which ends everything.
Out:  on standard output `connected` when all of them follow demo 1, and for each `report` a line of JSON: see `Report`.
Each client acknowledges two messages at a time, as a page does, and answers pings. As Chromium does, it offers to have messages compressed.
"""

from __future__ import annotations

import base64
import os
import selectors
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

TEXT, CLOSE = 1, 8
COMPRESSED = 0x40
FLUSHED = b"\x00\x00\xff\xff"
"""What a sender of compressed messages leaves out at the end of each."""
HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)


class Row(msgspec.Struct):
    seq: int
    time_ns: int


class Columns(msgspec.Struct):
    """As much of a frame's as is looked at; what all its events share stands there once."""

    seq: list[int] | int
    time_ns: list[int] | int


class Frame(msgspec.Struct):
    count: int
    columns: Columns

    @property
    def rows(self) -> list[Row]:
        return list(map(Row, self._spread(self.columns.seq), self._spread(self.columns.time_ns)))

    def _spread(self, column: list[int] | int) -> list[int]:
        return column if isinstance(column, list) else [column] * self.count


class Part(msgspec.Struct):
    epoch: str
    seq: int
    frames: list[Frame]


class News(msgspec.Struct):
    parts: list[Part]


class Seen(msgspec.Struct):
    """What one client got: of the events their number, the last one's, and how often one did not follow the one before."""

    messages: int = 0
    events: int = 0
    last: int = -1
    breaks: int = 0


class Report(msgspec.Struct):
    clients: list[Seen]
    latencies_ms: list[float]


NEWS = msgspec.json.Decoder(tuple[str, News])


def masked(text: str) -> bytes:
    """A frame as a client sends it; a mask of zeros is one too."""
    payload = text.encode()
    return struct.pack("!BBI", 0x80 | TEXT, 0x80 | len(payload), 0) + payload


FOLLOW, DRAWN, PONG = masked('420["follow",[{"feed":"demo1"}]]'), masked('42["drawn",2]'), masked("3")


class Client:
    """One connection; what it reads is given to `on_rows`."""

    def __init__(self, port: int, *, receive_bytes: int = 0) -> None:
        self.seen = Seen()
        self.follows = False
        self._next = 0
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(-15)
        self.sock = socket.socket()
        if receive_bytes:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(HANDSHAKE.format(key=base64.b64encode(os.urandom(16)).decode()).encode())
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self.sock.recv(1024)
        del self._buffer[: self._buffer.index(b"\r\n\r\n") + 4]
        self.sock.sendall(masked("40") + FOLLOW)

    def read(self) -> list[Row]:
        """What came; raises ConnectionError when the server closed."""
        data = self.sock.recv(1 << 18)
        if not data:
            raise ConnectionError("the display closed a connection")
        self._buffer += data
        return [row for text in self._texts() for row in self._rows(text)]

    def _texts(self) -> Iterator[bytes]:
        """The whole messages that are there, without their frames; the display sends no message in parts."""
        buffer = self._buffer
        while len(buffer) >= 2:
            first, size, start = buffer[0], buffer[1], 2
            if size == 126:
                size, start = int.from_bytes(buffer[2:4]), 4
            elif size == 127:
                size, start = int.from_bytes(buffer[2:10]), 10
            if len(buffer) < start + size:
                return
            payload = bytes(buffer[start : start + size])
            del buffer[: start + size]
            if first & 0x0F == CLOSE:
                raise ConnectionError("the display closed a connection")
            yield self._inflate.decompress(payload + FLUSHED) if first & COMPRESSED else payload

    def _rows(self, text: bytes) -> list[Row]:
        if text == b"2":
            self.sock.sendall(PONG)
        elif text.startswith(b"430"):
            self.follows = True
        elif text.startswith(b"42"):
            return self._news(NEWS.decode(text[2:])[1])
        return []

    def _news(self, news: News) -> list[Row]:
        self.seen.messages += 1
        if self.seen.messages % 2 == 0:
            self.sock.sendall(DRAWN)
        rows = []
        for part in news.parts:
            self.seen.breaks += part.seq != self._next
            self._next = part.seq + len(part.frames)
            rows += [row for frame in part.frames for row in frame.rows]
        for row in rows:
            self.seen.breaks += row.seq != self.seen.last + 1
            self.seen.last = row.seq
        self.seen.events += len(rows)
        return rows


def main(port: int, count: int) -> None:
    clients = [Client(port) for _ in range(count)]
    latencies_ms: list[float] = []
    waiting, is_measured = set(clients), False
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.sock, selectors.EVENT_READ, client)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if client := key.data:
                    rows = client.read()
                    if is_measured:
                        now_ns = time.time_ns()
                        latencies_ms += [(now_ns - row.time_ns) / 1e6 for row in rows]
                    elif client.follows and client in waiting:
                        waiting.remove(client)
                        if not waiting:
                            print("connected", flush=True)
                    continue
                match sys.stdin.readline().strip():
                    case "measure":
                        is_measured = True
                    case "report":
                        report = Report(clients=[client.seen for client in clients], latencies_ms=latencies_ms)
                        print(msgspec.json.encode(report).decode(), flush=True)
                    case _:
                        return


class Clients:
    """The process, as whoever started it sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.pid = process.pid
        self._process = process

    def measure(self) -> None:
        self._say("measure")

    def report(self) -> Report:
        self._say("report")
        return msgspec.json.decode(self.line(), type=Report)

    def line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()

    def _say(self, word: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()


@contextmanager
def connected(port: int, count: int) -> Iterator[Clients]:
    """Inside all of them follow demo 1."""
    command = [sys.executable, str(Path(__file__)), str(port), str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        clients = Clients(process)
        assert clients.line() == "connected\n"
        yield clients
        assert process.stdin
        process.stdin.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
