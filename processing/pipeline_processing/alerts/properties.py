"""An alert from the properties of a script's node, in their order.

In:      a property's name and arguments each: `("crit", [lambda])`, `("slack", [])`, `("channel", ["#ops"])`.
Out:     an Alert.
Refuses: properties that there are not, wrong arguments, wrong templates (WrongProperty, with the call's index).
After a handler come the handler's own properties. One of the alert's that sets a value leaves the handler open, one that
switches something on (RETURNING) closes it, as in Kapacitor.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from pipeline_processing.alerts.event import HandlerCall, Place
from pipeline_processing.alerts.handler_calls import HANDLERS
from pipeline_processing.alerts.templates import BadTemplate
from pipeline_processing.alerts.wording import Wording
from pipeline_processing.errors import ProcessingError
from pipeline_processing.operators.alert import Alert
from pipeline_processing.operators.options import options_of

RETURNING = ("all", "noRecoveries", "stateChangesOnly", "flapping", "inhibit")


class WrongProperty(ProcessingError, ValueError):
    """`index` is the call that is wrong, among those given."""

    def __init__(self, reason: str, *, index: int) -> None:
        super().__init__(reason)
        self.reason, self.index = reason, index


def alert_from_properties(calls: Sequence[tuple[str, Sequence[Any]]], *, place: Place | None = None) -> Alert:
    values: dict[str, Any] = {}
    handlers: list[HandlerCall] = []
    open_handler = False
    for index, (name, given) in enumerate(calls):
        try:
            open_handler = _applied(values, handlers, (name, given), open_handler=open_handler)
        except ValueError as cause:
            raise WrongProperty(_reason(name, cause), index=index) from cause
    place = place or Place()
    _check_templates(calls, handlers, place)
    return Alert(**values, handlers=tuple(handlers), place=place)


def _applied(
    values: dict[str, Any], handlers: list[HandlerCall], call: tuple[str, Sequence[Any]], *, open_handler: bool
) -> bool:
    """Whether a handler is open after the call."""
    name, given = call
    if open_handler and name in HANDLERS[handlers[-1].kind].properties:
        handlers[-1] = HANDLERS[handlers[-1].kind].with_property(handlers[-1], name, given)
        return True
    if name in HANDLERS:
        handlers.append(HANDLERS[name].call(name, given))
        return True
    options = options_of(Alert)
    if name not in options or name == "":
        raise _Unknown(_unknown(name, handlers[-1] if open_handler else None))
    field, option = options[name]
    value = option.reader(given)
    values[field] = (*values.get(field, ()), value) if option.gathers else value
    if name == "flapping" and max(value) > 1.0:
        raise ValueError("thresholds are percentages and should be between 0 and 1")
    return open_handler and name not in RETURNING


class _Unknown(ValueError):
    """No such property."""


def _unknown(name: str, handler: HandlerCall | None) -> str:
    own = list(HANDLERS[handler.kind].properties) if handler else []
    near = difflib.get_close_matches(name, [*own, *options_of(Alert), *HANDLERS], n=1)
    where = f"alert and its {handler.kind}" if handler else "alert"
    return f'no property "{name}" on {where}' + (f'; did you mean "{near[0]}"?' if near else "")


def _reason(name: str, cause: ValueError) -> str:
    return str(cause) if isinstance(cause, _Unknown) else f'property "{name}" {cause}'


def _check_templates(calls: Sequence[tuple[str, Sequence[Any]]], handlers: list[HandlerCall], place: Place) -> None:
    """Each alone, so that the call is known."""
    for index, (name, given) in enumerate(calls):
        if name in ("id", "message", "details") and given:
            texts = tuple(given[0] if name == each else "" for each in ("id", "message", "details"))
            _try(texts, (), place, index=index)
    last = max((at for at, (name, _) in enumerate(calls) if name not in ("id", "message", "details")), default=0)
    _try(("", "", ""), handlers, place, index=last)


def _try(texts: Any, handlers: Sequence[HandlerCall], place: Place, *, index: int) -> None:
    try:
        Wording.of(texts=texts, handlers=handlers, place=place)
    except BadTemplate as cause:
        raise WrongProperty(str(cause), index=index) from cause
