"""Posts of one node whose answers nobody waits for.

In:      posts, in order.
Out:     each is tried until it is answered or given up.
A target that does not answer is asked again after pauses that double; one that refuses is told no more of that post.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from pipeline_processing.engine.courier import NOWHERE, Courier, Post
from pipeline_processing.engine.over_http import Refused, host_of

LOG = logging.getLogger(__name__)
PAUSE_S_MIN, PAUSE_S_MAX = 0.1, 30.0


def as_it_is(post: Post) -> Post:
    return post


@dataclass(slots=True, kw_only=True)
class Sender(Courier):
    send: Callable[[Post], None]
    """Raises Refused, or OSError where another try may help."""
    addressed: Callable[[Post], Post] = as_it_is
    """The post with what it is sent with, but not kept."""

    def drain(self, within_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._posts, within_s)

    def _carry(self, post: Post) -> None:
        if self._is_done(self.addressed(post)):
            with self._changed:
                self._posts.popleft()
                self._bytes -= len(post.body)
                self._changed.notify_all()

    def _is_done(self, post: Post) -> bool:
        """Whether it is done with; false where this ends before."""
        if post.url == NOWHERE:
            self._given_up += post.points
            return True
        pause_s, attempts = PAUSE_S_MIN, 0
        while not self._stopping:
            attempts += 1
            try:
                self.send(post)
                self._sent += post.points
                return True
            except (Refused, OSError) as error:
                self._failed += 1
                if isinstance(error, Refused) or attempts == post.attempts_max:
                    return self._give_up(post, error)
                LOG.warning(
                    "%s: %s does not take it, again in %.1f s: %s", self.name, host_of(post.url), pause_s, error
                )
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, pause_s)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)
        return False

    def _give_up(self, post: Post, error: Exception) -> bool:
        LOG.error("%s: %s was given up: %s", self.name, host_of(post.url), error)
        self._given_up += post.points
        return True
