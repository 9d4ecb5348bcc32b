"""What input refuses.

InputError
├── UnknownSource  a name that the table SOURCES does not hold
├── NoCounters     this machine does not show the kernel's counters where Linux has them
├── WrongData      a file that does not hold what it should
└── StoppedEarly   a dataset that was stopped before the queue had all of it
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """Anything a source refuses or cannot do."""


class UnknownSource(InputError):
    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(names)}"
        super().__init__(f"no source is called `{name}`{hint}")


class NoCounters(InputError):
    def __init__(self, path: object, *, missing: str) -> None:
        super().__init__(f"`{path}` does not say `{missing}`; monitoring needs Linux and its /proc")


class WrongData(InputError):
    def __init__(self, path: object, *, found: str, expected: int) -> None:
        super().__init__(
            f"`{path}` has {found}, but {expected:,} different ones are expected; install the package again"
        )


class StoppedEarly(InputError):
    def __init__(self, name: str) -> None:
        super().__init__(f"stopped before the queue had all of `{name}`; `pipeline produce {name}` sends the rest")
