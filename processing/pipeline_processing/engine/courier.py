"""Posts of one node, carried one after the other by a thread of their own, so that who answers slowly stalls nobody.

In:      posts, in order.
Out:     what is not done with is pending; what became of the others is counted.
Whoever puts a post waits while BYTES_MAX are to be carried, but not before it has begun: steps that are repeated wait for nobody.
One that is under way at the end stays pending, and nobody waits for its answer: the next life sends it again, under the same key.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

BYTES_MAX = 16 * 1024 * 1024
"""What may wait; then the task waits."""
NOWHERE = ""
"""The URL of what is not sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """`key` is the same whenever it is sent. A `url` without a host is for the InfluxDB of the settings."""

    url: str
    body: bytes
    key: str
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 30.0
    attempts_max: int | None = None
    """None asks for ever."""
    is_captured: bool = False
    """Whether what an answer says is for the log, where it is no."""
    points: int = 1
    """How many it counts for."""


class Counted(NamedTuple):
    """Of one node, in points; but `failed` counts attempts."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0
    waiting: int = 0


@dataclass(slots=True, kw_only=True)
class Courier:
    name: str
    _posts: deque[Post] = field(default_factory=deque)
    """Not done with, in order."""
    _carried: int = 0
    """So many of the first were carried, and are not done with yet."""
    _bytes: int = 0
    """Of the others."""
    _sent: int = 0
    _failed: int = 0
    _given_up: int = 0
    _stopping: bool = False
    _released: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None

    def put(self, post: Post) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < BYTES_MAX or self._released or self._thread is None)
            self._posts.append(post)
            self._bytes += len(post.body)
            self._changed.notify_all()

    def begin(self) -> None:
        self._thread = threading.Thread(target=self._work, name=f"carry-{self.name}", daemon=True)
        self._thread.start()

    def pending(self) -> list[Post]:
        with self._changed:
            return list(self._posts)

    def counted(self) -> Counted:
        with self._changed:
            waiting = sum(each.points for each in islice(self._posts, self._carried, None))
            return Counted(self._sent, self._failed, self._given_up, waiting)

    def release(self) -> None:
        """Take what is put, however much waits."""
        with self._changed:
            self._released = True
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._stopping = self._released = True
            self._changed.notify_all()

    def _carry(self, post: Post) -> None:
        raise NotImplementedError

    def _work(self) -> None:
        while (post := self._next()) is not None:
            self._carry(post)

    def _next(self) -> Post | None:
        """The oldest to be carried; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or len(self._posts) > self._carried)
            return None if self._stopping else self._posts[self._carried]
