"""The texts of an alert: id, message, details, and the templates among its handlers' properties.

In:      the templates, as a script has them.
Out:     texts for a series and group, or for an event; the defaults are made without a template's detour.
Refuses: wrong templates when made (BadTemplate), what cannot be rendered later (TemplateFailed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_processing.alerts.event import HandlerCall, Place
from pipeline_processing.alerts.handler_calls import rendered, templates_of
from pipeline_processing.alerts.levels import LEVELS
from pipeline_processing.alerts.templates import (
    AnyMap,
    GoDuration,
    GoTime,
    StringMap,
    Struct,
    Template,
    parsed,
    parsed_html,
)
from pipeline_processing.points.keys import Series

ID = "{{ .Name }}:{{ .Group }}"
MESSAGE = "{{ .ID }} is {{ .Level }}"
DETAILS = "{{ json . }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What templates know of an event, beyond its id."""

    series: Series
    group: str
    """Its id."""
    fields: Mapping[str, Any]
    level: int
    time_ns: int
    duration_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    place: Place
    id: Template | None
    message: Template | None
    """None is the default."""
    details: Template | None
    """None is ''."""
    handlers: Sequence[HandlerCall]
    templates: Mapping[str, Template]
    """Those of the handlers."""

    @classmethod
    def of(cls, *, texts: tuple[str, str, str], handlers: Sequence[HandlerCall], place: Place) -> Wording:
        """`texts` are those of id, message and details."""
        id_, message, details = texts
        return cls(
            place=place,
            id=None if id_ == ID else parsed(id_, name="id"),
            message=None if message == MESSAGE else parsed(message, name="message"),
            details=parsed_html(details, name="details") if details else None,
            handlers=handlers,
            templates={each: parsed(each, name="handler") for each in templates_of(handlers)},
        )

    def id_of(self, series: Series, group: str) -> str:
        if self.id is None:
            return f"{series.name}:{group}"
        return self.id.render(self._place(series, group))

    def texts(self, id_: str, told: Telling) -> tuple[str, str, tuple[HandlerCall, ...]]:
        """The message, the details, and the handlers with what they say."""
        message = f"{id_} is {LEVELS[told.level]}"
        if self.message is None and self.details is None and not self.templates:
            return message, "", tuple(self.handlers)
        known = self._event(id_, told)
        if self.message is not None:
            message = self.message.render(known)
        known = Struct("detailsInfo", {"Message": message}, known)
        details = self.details.render(known) if self.details is not None else ""
        handlers = tuple(rendered(each, lambda text: self.templates[text].render(known)) for each in self.handlers)
        return message, details, handlers

    def _place(self, series: Series, group: str) -> Struct:
        place = self.place
        server = {"Hostname": place.hostname, "ClusterID": place.cluster_id, "ServerID": place.server_id}
        return Struct(
            "idInfo",
            {
                "Name": series.name,
                "TaskName": place.task,
                "Group": group,
                "Tags": StringMap(series.tags),
                "ServerInfo": Struct("serverInfo", server),
            },
        )

    def _event(self, id_: str, told: Telling) -> Struct:
        return Struct(
            "messageInfo",
            {
                "ID": id_,
                "Fields": AnyMap(told.fields),
                "Level": LEVELS[told.level],
                "Time": GoTime(told.time_ns),
                "Duration": GoDuration(told.duration_ns),
            },
            self._place(told.series, told.group),
        )
