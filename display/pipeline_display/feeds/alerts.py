"""Alerts as a feed: which stands at which level since when, and the newest events.

In:   the topic `alerts`, as far back as it is kept.
Out:  frames {"states": rows, "history": rows, "forgotten": count}: what is new of each, and when as much has been told again as there
      is and 500 rows more, all of it, so that a page opened now learns the rest with it. A row is an event without its data; a state's row is its
      newest event, with `since_ns`, when it came to that level.
An event that its task repeats after a crash has the id that it had, and counts once. Of more than `STATES_MAX` alerts those are
forgotten that have been OK, then those that have been silent, for longest.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from pipeline_queue.errors import QueueError
from pipeline_queue.events import Event
from pipeline_queue.topics import ALERTS

from pipeline_display.feeds.feed import Batch
from pipeline_display.feeds.topic import Tail

HISTORY_ROWS = 500
STATES_MAX = 5_000
ROWS_PER_FRAME_MAX = 200
SHOWN = (
    *("event_id", "time_ns", "at_ns", "task", "node", "alert_id", "level", "previous_level", "message", "duration_ns"),
    "topic",
)
OK = "OK"

Row = dict[str, Any]


class AlertsReader:
    """See the module; one thread uses it."""

    away = (QueueError,)

    def __init__(self, url: str) -> None:
        self._tail = Tail(url, ALERTS, history_s=ALERTS.retention_s or 0.0)
        self._standing = Standing()
        self._told = 0

    def look(self) -> Batch:
        taken = self._tail.take()
        news = self._standing.take([_row(event) for event in taken.decoded.events])
        figures = {"dead": len(taken.decoded.dead), "gaps": taken.gaps, "lag": taken.lag}
        if not news.rows:
            return Batch(bodies=[], **figures)
        self._told += news.rows
        whole = self._standing.all()
        if self._told <= whole.rows + HISTORY_ROWS:
            return Batch(bodies=list(news.frames()), **figures)
        self._told = 0
        return Batch(bodies=list(whole.frames()), is_whole=True, **figures)

    def let_go(self) -> None:
        self._tail.let_go()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What pages are to learn."""

    states: list[Row]
    history: list[Row]
    forgotten: int

    @property
    def rows(self) -> int:
        return len(self.states) + len(self.history)

    def frames(self) -> Iterator[bytes]:
        """Of a bounded number of rows each."""
        portions = itertools.zip_longest(_portions(self.states), _portions(self.history), fillvalue=())
        for states, history in portions:
            yield msgspec.json.encode({"states": states, "history": history, "forgotten": self.forgotten})


class Standing:
    """What is known of all alerts."""

    def __init__(self) -> None:
        self._states: OrderedDict[tuple[str, str, str], Row] = OrderedDict()
        self._history: OrderedDict[str, Row] = OrderedDict()
        self._forgotten = 0

    def take(self, rows: Sequence[Row]) -> Told:
        """What they bring that was not known."""
        changed: dict[tuple[str, str, str], Row] = {}
        new = []
        for row in rows:
            if row["event_id"] in self._history:
                continue
            key = row["task"], row["node"], row["alert_id"]
            changed[key] = self._stand(key, row)
            new.append(row)
            self._history[row["event_id"]] = row
            if len(self._history) > HISTORY_ROWS:
                self._history.popitem(last=False)
        self._forget()
        return Told(states=list(changed.values()), history=new[-HISTORY_ROWS:], forgotten=self._forgotten)

    def all(self) -> Told:
        return Told(states=list(self._states.values()), history=list(self._history.values()), forgotten=self._forgotten)

    def _stand(self, key: tuple[str, str, str], row: Row) -> Row:
        before = self._states.pop(key, None)
        stays = before is not None and before["level"] == row["level"]
        state = self._states[key] = row | {"since_ns": before["since_ns"] if before and stays else row["at_ns"]}
        return state

    def _forget(self) -> None:
        too_many = len(self._states) - STATES_MAX
        if too_many <= 0:
            return
        by_worth = sorted(self._states, key=lambda key: self._states[key]["level"] != OK)  # stable: the oldest first
        for key in by_worth[:too_many]:
            del self._states[key]
        self._forgotten += too_many


def _row(event: Event) -> Row:
    return {name: getattr(event, name) for name in SHOWN}


def _portions(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[start : start + ROWS_PER_FRAME_MAX] for start in range(0, len(rows), ROWS_PER_FRAME_MAX))
