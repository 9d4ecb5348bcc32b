"""The recent past of a feed, numbered.

In:   frames, already encoded, as they are made.
Out:  the frames from a number on, as long as they are kept; who asks for older ones is told where to start over.
An epoch names the ring: numbers of another epoch mean nothing here. Any thread may append or read.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What goes to the pages as it is: `body` is JSON, encoded once for all of them."""

    seq: int
    made_ns: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Frames in order; `start_over` when what came before them is not what the reader has."""

    frames: list[Frame]
    start_over: bool


class Ring:
    """Keeps frames until they are older than `history_s`, if not infinite, or together larger than `bytes_max`."""

    def __init__(self, *, history_s: float, bytes_max: int) -> None:
        self.epoch = secrets.token_hex(4)
        self._history_ns = history_s * 1e9
        self._bytes_max = bytes_max
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._next = 0
        self._lock = threading.Lock()

    @property
    def begin(self) -> int:
        """The number of the oldest frame kept, or of the next one."""
        with self._lock:
            return self._next - len(self._frames)

    @property
    def end(self) -> int:
        """The number that the next frame will get."""
        return self._next

    def append(self, body: bytes, *, made_ns: int) -> Frame:
        """Number and keep a frame; forget what is too old or too much."""
        with self._lock:
            return self._append(body, made_ns)

    def replace(self, bodies: Iterable[bytes], *, made_ns: int) -> None:
        """Keep these frames in place of all before them; numbers go on, so who has all so far goes on as well."""
        with self._lock:
            self._frames.clear()
            self._bytes = 0
            for body in bodies:
                self._append(body, made_ns)

    def since(self, seq: int, *, limit: int, bytes_max: int) -> Slice:
        """At most `limit` frames and about `bytes_max` bytes from `seq` on, but one at least if there is one."""
        with self._lock:
            begin = self._next - len(self._frames)
            first = seq if begin <= seq <= self._next else begin
            found, size = [], 0
            for index in range(first - begin, min(first - begin + limit, len(self._frames))):
                size += len(self._frames[index].body)
                if found and size > bytes_max:
                    break
                found.append(self._frames[index])
            return Slice(frames=found, start_over=first != seq)

    def _append(self, body: bytes, made_ns: int) -> Frame:
        frame = Frame(seq=self._next, made_ns=made_ns, body=body)
        self._frames.append(frame)
        self._next += 1
        self._bytes += len(body)
        while len(self._frames) > 1 and self._is_too_much(self._frames[0], now_ns=made_ns):
            self._bytes -= len(self._frames.popleft().body)
        return frame

    def _is_too_much(self, frame: Frame, *, now_ns: int) -> bool:
        return self._bytes > self._bytes_max or frame.made_ns < now_ns - self._history_ns
