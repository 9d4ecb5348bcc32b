"""Requests of one node, sent one after the other by a thread of their own, so that who answers slowly stalls nobody.

In:      requests, in order.
Out:     each is tried until it is answered or given up; what is not is pending.
A target that does not answer is asked again after pauses that double; one that refuses (a status below 500, but for 408 and
429) is told no more of that request, which is counted.
"""

from __future__ import annotations

import http.client
import logging
import threading
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

LOG = logging.getLogger(__name__)
BYTES_MAX = 16 * 1024 * 1024
"""What may wait; then the task waits."""
PAUSE_S_MIN, PAUSE_S_MAX = 0.1, 30.0
AGAIN = frozenset({408, 429})
CAPTURED_MAX = 1024
"""Bytes of an answer that the log gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """`key` is the same whenever it is sent."""

    url: str
    body: bytes
    key: str
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 30.0
    attempts_max: int | None = None
    """None asks for ever."""
    is_captured: bool = False
    """Whether what an answer says is for the log, where it is no."""


@dataclass(slots=True)
class Figures:
    sent: int = 0
    repeated: int = 0
    given_up: int = 0


class Refused(Exception):
    """The target does not want it, and will not."""


@dataclass(slots=True)
class Sender:
    name: str
    send: Callable[[Post], None]
    figures: Figures = field(default_factory=Figures)
    _waiting: deque[Post] = field(default_factory=deque)
    _bytes: int = 0
    _stopping: bool = False
    _released: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None

    def put(self, post: Post) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < BYTES_MAX or self._released)
            self._waiting.append(post)
            self._bytes += len(post.body)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"send-{self.name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def pending(self) -> list[Post]:
        with self._changed:
            return list(self._waiting)

    def drain(self, within_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, within_s)

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
            if self._sent(post):
                with self._changed:
                    self._waiting.popleft()
                    self._bytes -= len(post.body)
                    self._changed.notify_all()

    def _next(self) -> Post | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            return None if self._stopping else self._waiting[0]

    def _sent(self, post: Post) -> bool:
        """Whether it is done with; false where this ends before."""
        pause_s, attempts = PAUSE_S_MIN, 0
        while not self._stopping:
            attempts += 1
            try:
                self.send(post)
                self.figures.sent += 1
                return True
            except Refused as error:
                return self._give_up(post, error)
            except OSError as error:
                if attempts == post.attempts_max:
                    return self._give_up(post, error)
                LOG.warning(
                    "%s: %s does not take it, again in %.1f s: %s", self.name, host_of(post.url), pause_s, error
                )
            self.figures.repeated += 1
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, pause_s)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)
        return False

    def _give_up(self, post: Post, error: Exception) -> bool:
        LOG.error("%s: %s was given up: %s", self.name, host_of(post.url), error)
        self.figures.given_up += 1
        return True


def over_http(post: Post) -> None:
    """Send it; raises Refused, or OSError where another try may help."""
    status, said = _answer(post)
    if status >= 300:
        refusal = Refused if status < 500 and status not in AGAIN else OSError
        raise refusal(f"answered {status}{said}")


def status_over_http(post: Post, *, told: str) -> int:
    """Send it once: the answer's status, 0 where there is none; `told` is who says so in the log what went wrong."""
    try:
        status, said = _answer(post)
    except OSError as error:
        LOG.error("%s: %s did not answer: %s", told, host_of(post.url), error)
        return 0
    if status >= 300:
        LOG.error("%s: %s answered %d%s", told, host_of(post.url), status, said)
    return status


class _Straight(urllib.request.HTTPRedirectHandler):
    """An answer that leads elsewhere is the answer: elsewhere may be where nobody may send to."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_Straight)


def _answer(post: Post) -> tuple[int, str]:
    """Its status, and what it says if that is wanted and is no; raises OSError where there is none."""
    request = urllib.request.Request(
        post.url, data=post.body, headers={"Idempotency-Key": post.key, **dict(post.headers)}, method="POST"
    )
    try:
        with _OPENER.open(request, timeout=post.timeout_s) as answer:
            answer.read()
            return answer.status, ""
    except urllib.error.HTTPError as error:
        with error:
            said = f": {error.read(CAPTURED_MAX).decode(errors='replace')}" if post.is_captured else ""
            return error.code, said
    except (ValueError, http.client.HTTPException, urllib.error.URLError) as error:
        raise OSError(str(error)) from error


def host_of(url: str) -> str:
    """What of a URL may stand in a log: paths and queries can hold secrets."""
    return url.split("//", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]
