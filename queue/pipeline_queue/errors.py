"""What can go wrong on the queue.

QueueError
├── BadSetting        a setting that is wrong, unknown, or said twice; its name, the value met, what is allowed
├── BadUrl            a broker URL of no known form
├── UnknownTopic      a name that no declaration and no broker knows
├── BadRecording      a file of points that cannot be read, and where
├── TooLarge          a message above the block limit; nothing of the call was published
├── AlertTooLarge     handlers of an alert that do not fit an event
├── OffsetGone        a read below what retention has left
├── StaleEpoch        a commit by a consumer that a newer one has replaced
├── TermOver          a publish by somebody whom a newer one has replaced
└── QueueUnavailable  the broker does not answer; what was not acknowledged may or may not be there
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class QueueError(Exception):
    """Anything the queue refuses or cannot do."""


class BadSetting(QueueError):
    """A setting's name, the value met, and what is allowed."""


class BadUrl(QueueError):
    def __init__(self, url: str) -> None:
        super().__init__(
            f"`{url}` is not a queue URL; use `kafka://host:port[,host:port]`, `sqlite:///absolute/folder` or `memory://name`"
        )


class UnknownTopic(QueueError):
    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(names) or 'none'}"
        super().__init__(f"no topic is called `{name}`{hint}")


class BadRecording(QueueError):
    """`line` counts from 1."""

    def __init__(self, reason: str, *, line: int | None = None, text: str = "", path: Path | None = None) -> None:
        where = f"{path}: " if path else ""
        place = f"line {line}: " if line is not None else ""
        super().__init__(f"{where}{place}{reason}" + (f": {text[:120]}" if text else ""))
        self.reason, self.line, self.text = reason, line, text

    def of(self, path: Path) -> BadRecording:
        return BadRecording(self.reason, line=self.line, text=self.text, path=path)


class TooLarge(QueueError):
    def __init__(self, topic: str, *, size_bytes: int, size_bytes_max: int) -> None:
        super().__init__(
            f"a message of {size_bytes:,} bytes for `{topic}` is above the limit of {size_bytes_max:,}; send it in smaller blocks"
        )


class AlertTooLarge(QueueError):
    def __init__(self, task: str, node: str, *, size_bytes: int) -> None:
        super().__init__(
            f"an alert of `{node}` of the task `{task}` does not fit an event: its handlers alone take {size_bytes:,} bytes; "
            "shorten their arguments"
        )


class OffsetGone(QueueError):
    def __init__(self, topic: str, partition: int, *, offset: int, begin: int) -> None:
        super().__init__(
            f"offset {offset} of `{topic}` partition {partition} is gone, retention has left {begin} and newer; "
            f"start at {begin} and expect a gap"
        )


class StaleEpoch(QueueError):
    def __init__(self, group: str, topic: str, *, epoch: int, newest: int) -> None:
        super().__init__(
            f"group `{group}` on `{topic}` has committed with epoch {newest}, so epoch {epoch} is refused; "
            "a newer consumer has taken over, stop this one"
        )


class TermOver(QueueError):
    def __init__(self, name: str, *, epoch: int) -> None:
        super().__init__(f"term {epoch} of `{name}` is over: somebody else has begun a newer one, and goes on")


class QueueUnavailable(QueueError):
    def __init__(self, url: str, *, doing: str, cause: object) -> None:
        super().__init__(
            f"the queue at `{url}` did not answer while {doing}: {cause}; check that it runs, then try again"
        )


class TermUnsure(QueueUnavailable):
    def __init__(self, name: str, *, epoch: int, silent_s: float) -> None:
        QueueError.__init__(
            self,
            f"term {epoch} of `{name}` was last renewed {silent_s:.0f} s ago, so it may be over; "
            "check that the store of leases answers, then try again",
        )
