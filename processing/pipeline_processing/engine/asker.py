"""Posts of one node whose answers go on into the task.

In:      posts, in order.
Out:     a status for each, in the same order; 0 where nobody answered. Each is asked once: what was answered is the result.
A post is done with when a step has taken its answer in, not before: until then it is pending, and asked again, under the same
key, by a life after a crash. What such a life finds in its journal is settled before anything is asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline_processing.engine.courier import Courier, Post


@dataclass(slots=True, kw_only=True)
class Asker(Courier):
    ask: Callable[[Post], int]
    _answers: deque[int] = field(default_factory=deque)
    """Of those that were carried."""

    def answers(self) -> tuple[int, ...]:
        with self._changed:
            return tuple(self._answers)

    def settle(self, count: int) -> None:
        with self._changed:
            for _ in range(count):
                post = self._posts.popleft()
                if self._answers:
                    self._answers.popleft()
                    self._carried -= 1
                else:
                    self._bytes -= len(post.body)

    def _carry(self, post: Post) -> None:
        status = self.ask(post)
        with self._changed:
            self._answers.append(status)
            self._carried += 1
            self._bytes -= len(post.body)
            self._count(post, is_taken=200 <= status < 300)
            self._changed.notify_all()

    def _count(self, post: Post, *, is_taken: bool) -> None:
        """One that says no is not asked again."""
        self._sent += post.points if is_taken else 0
        self._failed += not is_taken
        self._given_up += 0 if is_taken else post.points
