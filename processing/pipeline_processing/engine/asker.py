"""Requests of one node whose answers go on into the task, asked one after the other by a thread of their own.

In:      requests, in order.
Out:     a status for each, in the same order; 0 where nobody answered. Each is asked once: what was answered is the result.
A request is done when a step has taken its answer in, not before: until then it is pending, and asked again, under the same
key, by a life after a crash. What such a life finds in its journal is settled before anything is asked.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline_processing.engine.sender import BYTES_MAX, Post


@dataclass(slots=True)
class Asker:
    name: str
    ask: Callable[[Post], int]
    _open: deque[Post] = field(default_factory=deque)
    """Not settled, in order; the first of them may have answers."""
    _answers: deque[int] = field(default_factory=deque)
    _bytes: int = 0
    """Of those without an answer."""
    _stopping: bool = False
    _released: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None

    def put(self, post: Post) -> None:
        """Waits while BYTES_MAX are not answered, once it has begun."""
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < BYTES_MAX or self._released or self._thread is None)
            self._open.append(post)
            self._bytes += len(post.body)
            self._changed.notify_all()

    def begin(self) -> None:
        self._thread = threading.Thread(target=self._work, name=f"ask-{self.name}", daemon=True)
        self._thread.start()

    def answers(self) -> tuple[int, ...]:
        with self._changed:
            return tuple(self._answers)

    def settle(self, count: int) -> None:
        with self._changed:
            for _ in range(count):
                post = self._open.popleft()
                if self._answers:
                    self._answers.popleft()
                else:
                    self._bytes -= len(post.body)

    def pending(self) -> list[Post]:
        with self._changed:
            return list(self._open)

    def release(self) -> None:
        """Take what is put, however much waits."""
        with self._changed:
            self._released = True
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._stopping = self._released = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join(timeout=5.0)

    def _work(self) -> None:
        while (post := self._next()) is not None:
            status = self.ask(post)
            with self._changed:
                self._answers.append(status)
                self._bytes -= len(post.body)
                self._changed.notify_all()

    def _next(self) -> Post | None:
        """The oldest without an answer; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or len(self._open) > len(self._answers))
            return None if self._stopping else self._open[len(self._answers)]
