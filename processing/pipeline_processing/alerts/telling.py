"""Events and inhibitions as objects, from what was decided.

In:   points or batches, and what was decided of each.
Out:  an AlertEvent for each that made one; an Inhibition for each that made a group an alert, or made it none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline_processing.alerts.event import AlertEvent, Inhibition
from pipeline_processing.alerts.machine import Decided
from pipeline_processing.alerts.templates import GoDuration, GoTime
from pipeline_processing.alerts.wording import Telling, Wording
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys, Series
from pipeline_processing.results.series import series_of

Emitted = AlertEvent | Inhibition


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The points or batches that made an event (`out`), with what is said of each by position: its place in the input, id,
    level, time, duration, previous level, and the fields of the point that it is about."""

    out: Frame | Batches
    unit: list[int]
    id: list[str]
    level: list[int]
    time_ns: list[int]
    duration_ns: list[int]
    previous: list[int]
    fields: list[dict[str, Any]]

    @classmethod
    def of(cls, data: Frame | Batches, decided: Decided, ids: list[str]) -> Told:
        at = np.flatnonzero(decided.event)
        rows = data.rows if isinstance(data, Batches) else data
        return cls(
            out=data.take(at),
            unit=at.tolist(),
            id=ids,
            level=decided.level[at].tolist(),
            time_ns=decided.time_ns[at].tolist(),
            duration_ns=decided.duration_ns[at].tolist(),
            previous=decided.previous[at].tolist(),
            fields=template_fields(rows.take(decided.row[at])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    wording: Wording
    topic: str
    category: str
    recoverable: bool
    inhibit: Sequence[tuple[str, ...]]

    def events(self, told: Told, keys: Keys) -> list[AlertEvent]:
        if not told.id:
            return []
        series, groups, causes = (each.tolist() for each in (told.out.series, told.out.group, told.out.cause))
        return [
            self._event(told, at, keys.series[series[at]], (keys.groups[groups[at]].id, causes[at], data))
            for at, data in enumerate(series_of(told.out, keys))
        ]

    def _event(self, told: Told, at: int, series: Series, more: tuple[str, int, dict[str, Any]]) -> AlertEvent:
        group, cause, data = more
        telling = Telling(
            series=series,
            group=group,
            fields=told.fields[at],
            level=told.level[at],
            time_ns=told.time_ns[at],
            duration_ns=told.duration_ns[at],
        )
        message, details, handlers = self.wording.texts(told.id[at], telling)
        return AlertEvent(
            id=told.id[at],
            message=message,
            details=details,
            time_ns=telling.time_ns,
            duration_ns=telling.duration_ns,
            level=telling.level,
            previous_level=told.previous[at],
            recoverable=self.recoverable,
            data={"series": [data]},
            group=group,
            tags=series.tags,
            name=series.name,
            database=series.database,
            retention_policy=series.retention_policy,
            place=self.wording.place,
            topic=self.topic,
            category=self.category,
            handlers=handlers,
            unit=told.unit[at],
            cause=cause,
        )

    def inhibitions(self, data: Frame | Batches, decided: Decided, keys: Keys) -> list[Inhibition]:
        """One for each category of `inhibit` and each point or batch with which its group became an alert, or none."""
        if not self.inhibit:
            return []
        found = []
        for unit in np.flatnonzero((decided.before == 0) != (decided.level == 0)).tolist():
            group = keys.groups[data.group[unit]]
            tags = dict(group.tags)
            for category, *names in self.inhibit:
                found.append(
                    Inhibition(
                        group=group.id,
                        category=category,
                        tags=tuple((name, tags.get(name, "")) for name in names),
                        active=bool(decided.level[unit]),
                        time_ns=int(decided.time_ns[unit]),
                        unit=unit,
                        cause=int(data.cause[unit]),
                    )
                )
        return found


def in_order(emitted: Sequence[Emitted]) -> list[Emitted]:
    """As the points came, what inhibits before what is told, each with its number among those of its cause."""
    counts: dict[int, int] = {}
    found = []
    for each in sorted(emitted, key=lambda each: (each.unit, isinstance(each, AlertEvent))):
        ordinal = counts.get(each.cause, 0)
        counts[each.cause] = ordinal + 1
        found.append(replace(each, ordinal=ordinal) if ordinal else each)
    return found


def template_fields(frame: Frame) -> list[dict[str, Any]]:
    """Each row's fields as templates have them."""
    rows: list[dict[str, Any]] = [{} for _ in range(len(frame))]
    for (name, type_), column in frame.fields.items():
        values = column.values.tolist()
        for at in np.flatnonzero(column.mask()).tolist():
            value = values[at]
            if type_ in ("duration", "time"):
                value = GoDuration(value) if type_ == "duration" else GoTime(value)
            rows[at][name] = None if type_ == "null" else value
    return rows
