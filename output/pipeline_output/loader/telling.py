"""The loader tells on the topic `loads` how each type stands.

In:   the status of each type, when it is loaded next, and what turns have put.
Out:  an event of each type of which something changed, and every TELL_S seconds of all.
Of the rows that were put the last few are held, of committed turns only, with long strings cut; how much was loaded makes
no difference to what is held.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pipeline_queue.brokers import Broker
from pipeline_queue.codec import blocks
from pipeline_queue.events import Event, event_id, event_type, new_producer
from pipeline_queue.topics import LOADS, NEWEST_LENGTH_MAX

from pipeline_output.loader.event_table import EventTable
from pipeline_output.loader.status import NS_PER_S, Status
from pipeline_output.loader.turn import NEWEST_ROWS, Loaded

TELL_S = 10
SHOWN_LENGTH_MAX = 200
"""Of a string in a row; what is longer is cut there, and ends in `…`."""

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    at_ns: int
    said: Mapping[str, Any]


class Telling:
    """`put` may be called from any thread, of a type from one at a time."""

    def __init__(self) -> None:
        self._producer, self._seq = new_producer("loader"), 0
        self._newest: dict[str, list[Row]] = {}
        self._told: dict[str, _Told] = {}

    def put(self, table: EventTable, loaded: Loaded) -> None:
        """A turn was committed."""
        if loaded.newest:
            before = self._newest.get(table.name, [])
            self._newest[table.name] = [*(shown(table, each) for each in loaded.newest), *before][:NEWEST_ROWS]

    def tell(self, broker: Broker, found: Iterable[Status], next_at_ns: Callable[[str], int], now_ns: int) -> None:
        """Raises QueueUnavailable; then all of it is told the next time."""
        said = {each.type: self._said(each, next_at_ns(each.type)) for each in found}
        news = {name: each for name, each in said.items() if self._is_due(name, each, now_ns)}
        if news:
            events = [self._event(self._seq + place, each, now_ns) for place, each in enumerate(news.values())]
            broker.publish(LOADS.name, blocks(LOADS, events))
            self._seq += len(events)
            self._told |= {name: _Told(at_ns=now_ns, said=each) for name, each in news.items()}

    def _said(self, of: Status, next_at_ns: int) -> dict[str, Any]:
        return {
            "type": of.type,
            "lag_events": of.lag_events,
            "lag_s": of.lag_s,
            "loaded_at_ns": of.loaded_at_ns,
            "next_at_ns": next_at_ns,
            "events": of.events,
            "dead": of.dead,
            "gone": of.gone,
            "reached": json.dumps(of.reached),
            "newest": fitting(self._newest.get(of.type, [])),
        }

    def _is_due(self, name: str, said: Mapping[str, Any], now_ns: int) -> bool:
        before = self._told.get(name)
        return before is None or before.said != said or not 0 <= now_ns - before.at_ns < TELL_S * NS_PER_S

    def _event(self, seq: int, said: Mapping[str, Any], now_ns: int) -> Event:
        of = {"event_id": event_id(self._producer, seq), "time_ns": now_ns, "producer": self._producer, "seq": seq}
        return event_type(LOADS)(**of, **said)


class Untold:
    """Of a place beside the database, of which the topic says nothing."""

    def put(self, table: EventTable, loaded: Loaded) -> None:
        """Nobody asks."""

    def tell(self, broker: Broker, found: Iterable[Status], next_at_ns: Callable[[str], int], now_ns: int) -> None:
        """Nobody asks."""


def shown(table: EventTable, event: Event) -> Row:
    return {name: _cut(getattr(event, name)) for name in table.names}


def fitting(rows: list[Row]) -> str:
    """JSON of as many of the first rows as the topic's column has room for."""
    texts, length = [], len("[]")
    for row in rows:
        text = json.dumps(row, ensure_ascii=False)
        length += len(text) + len(", ")
        if length > NEWEST_LENGTH_MAX:
            break
        texts.append(text)
    return f"[{', '.join(texts)}]"


def _cut(value: Any) -> Any:
    return f"{value[:SHOWN_LENGTH_MAX]}…" if isinstance(value, str) and len(value) > SHOWN_LENGTH_MAX else value
