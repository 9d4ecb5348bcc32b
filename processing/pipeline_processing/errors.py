"""What can go wrong in processing.

    ProcessingError
    ├── BadSketch         bytes that are no sketch
    ├── UnknownJob        a name that the table JOBS does not hold
    ├── NotStreamable     a queue that Spark cannot read
    └── QueriesUnavailable  Spark did not start
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ProcessingError(Exception):
    """Anything this stage refuses or cannot do."""


class BadSketch(ProcessingError):
    def __init__(self, reason: str) -> None:
        super().__init__(f"these bytes are no sketch: {reason}; if another version wrote them, delete the checkpoint they came from")


class UnknownJob(ProcessingError):
    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean `{near[0]}`" if near else f"there are {', '.join(names)}"
        super().__init__(f"no job is called `{name}`; {hint}")


class NotStreamable(ProcessingError):
    def __init__(self, url: str) -> None:
        super().__init__(f"Spark cannot read the queue `{url}`; use `kafka://host:port` or `sqlite:///absolute/folder`")
