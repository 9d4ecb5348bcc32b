"""What became of deliveries, as their file says.

In:      the folder that ALERTS_STATE_DIR names. Any process may ask, whoever delivers.
Out:     counts by handler since the folder was made; what was given up within a week, and why. Nothing where nothing was delivered yet.
Refuses: (StoreUnavailable) a file that cannot be read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from pipeline_output.errors import StoreUnavailable

FILE = "alerts.db"
COUNTED = ("delivered", "retried", "refused", "repeated")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts by handler since the state's folder was made, but `pending`, which is of now."""

    delivered: Mapping[str, int]
    retried: Mapping[str, int]
    refused: Mapping[str, int]
    repeated: Mapping[str, int]
    pending: Mapping[str, int]

    def by_handler(self) -> dict[str, dict[str, int]]:
        names = (*COUNTED, "pending")
        kinds = sorted({kind for name in names for kind in getattr(self, name)})
        return {kind: {name: getattr(self, name).get(kind, 0) for name in names} for kind in kinds}


NONE = Figures(delivered={}, retried={}, refused={}, repeated={}, pending={})


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """A delivery that will not be tried again, and why."""

    event_id: str
    kind: str
    alert_id: str
    attempts: int
    given_up_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    folder: Path

    def figures(self) -> Figures:
        return self._asked(figures_in, NONE)

    def given_up(self, limit: int) -> Sequence[GivenUp]:
        """The newest first."""
        return self._asked(lambda file: given_up_in(file, limit), [])

    def _asked(self, ask: Callable[[sqlite3.Connection], Found], nothing: Found) -> Found:
        path = self.folder / FILE
        if not path.exists():
            return nothing
        try:
            # Not `mode=ro`: who reads a log that is ahead of its file writes beside it where nobody else has it open.
            with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True)) as file:
                file.execute("pragma query_only = on")
                return ask(file)
        except sqlite3.Error as cause:
            raise StoreUnavailable(str(path), doing="reading what became of alerts", cause=cause) from cause


def figures_in(file: sqlite3.Connection) -> Figures:
    counts: dict[str, dict[str, int]] = {what: {} for what in COUNTED}
    for kind, what, n in file.execute("select kind, what, n from counts"):
        counts[what][kind] = n
    pending = file.execute("select kind, count(*) from deliveries where given_up_ns is null group by kind")
    return Figures(**counts, pending=dict(pending))


def given_up_in(file: sqlite3.Connection, limit: int) -> list[GivenUp]:
    names = ("event_id", "kind", "alert_id", "attempts", "given_up_ns", "reason")
    rows = file.execute(
        f"select {', '.join(names)} from deliveries "
        "where given_up_ns is not null order by given_up_ns desc, delivery_id desc limit ?",
        (limit,),
    )
    return [GivenUp(**dict(zip(names, row, strict=True))) for row in rows]
