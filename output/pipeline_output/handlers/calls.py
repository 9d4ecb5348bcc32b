"""What a script, or the operator's file, says of one handler, read property by property.

In:      a HandlerCall.
Out:     values of the asked type; what is absent has a default.
Refuses: (BadHandler) a wrong type or number of arguments; by `refuse_others`, a property or an argument that nobody asked for.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

from pipeline_queue.alerts import HandlerCall

from pipeline_output.errors import BadHandler

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class Calls:
    """Each property may be asked for once or more; the order does not matter."""

    def __init__(self, call: HandlerCall) -> None:
        self.kind = call.kind
        self._arguments = call.arguments
        self._properties = call.properties
        self._asked: set[str] = set()
        self._asked_arguments = 0

    def argument(self, name: str) -> str:
        """The only argument of the handler, which it must have."""
        self._asked_arguments = 1
        if len(self._arguments) < 1:
            raise self.bad(f"needs an argument: {name}")
        return self._text(name, self._arguments[0])

    def arguments(self, name: str) -> tuple[str, ...]:
        """All of the handler's arguments."""
        self._asked_arguments = len(self._arguments)
        return tuple(self._text(name, each) for each in self._arguments)

    def text(self, name: str, default: str = "") -> str:
        """The last call's argument."""
        calls = self._calls(name, arguments=1)
        return self._text(name, calls[-1][0]) if calls else default

    def texts(self, name: str) -> tuple[str, ...]:
        """The arguments of all calls."""
        return tuple(self._text(name, each) for call in self._calls(name) for each in call)

    def texts_of_two(self, name: str) -> tuple[tuple[str, str], ...]:
        """One or two arguments of each call; a second one that is absent is empty."""
        calls = [tuple(self._text(name, each) for each in call) for call in self._calls(name)]
        if not all(1 <= len(call) <= 2 for call in calls):
            raise self.bad(f"takes one or two arguments in `{name}`")
        return tuple((call[0], call[1] if len(call) > 1 else "") for call in calls)

    def pairs(self, name: str) -> dict[str, Any]:
        """What the calls map to what; the last one counts."""
        return {self._text(name, key): value for key, value in self._calls(name, arguments=2)}

    def number(self, name: str, default: int) -> int:
        calls = self._calls(name, arguments=1)
        value = calls[-1][0] if calls else default
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.bad(f"takes a whole number as `{name}`, got {value!r}")
        return value

    def flag(self, name: str) -> bool:
        """Whether it is called; `false` as its argument takes that back."""
        calls = self._calls(name)
        return bool(calls) and calls[-1] != (False,)

    def seconds(self, name: str, default: float) -> float:
        """A duration: ns, or text as `10s`."""
        calls = self._calls(name, arguments=1)
        value = calls[-1][0] if calls else default * 1e9
        if isinstance(value, str) and (read := re.fullmatch(r"(\d+)(ms|[smhd])", value)):
            return int(read[1]) * UNITS_S[read[2]]
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            raise self.bad(f"takes a duration as `{name}`, got {value!r}")
        return value / 1e9

    @property
    def asked(self) -> frozenset[str]:
        """The properties that were asked for."""
        return frozenset(self._asked)

    def refuse_others(self) -> None:
        for name in self._properties:
            if name not in self._asked:
                near = difflib.get_close_matches(name, sorted(self._asked), n=1)
                hint = (
                    f"; did you mean `{near[0]}`?" if near else f"; it has {', '.join(sorted(self._asked)) or 'none'}"
                )
                raise self.bad(f"has no property `{name}`{hint}")
        if len(self._arguments) > self._asked_arguments:
            raise self.bad(f"takes {self._asked_arguments} arguments, got {len(self._arguments)}")

    def bad(self, because: str) -> BadHandler:
        return BadHandler(self.kind, because=because)

    def _calls(self, name: str, arguments: int | None = None) -> tuple[tuple[Any, ...], ...]:
        self._asked.add(name)
        calls = self._properties.get(name, ())
        for call in calls:
            if arguments is not None and len(call) != arguments:
                raise self.bad(f"takes {arguments} argument{'s' if arguments > 1 else ''} in `{name}`, got {len(call)}")
        return calls

    def _text(self, name: str, value: object) -> str:
        if not isinstance(value, str):
            raise self.bad(f"takes text as `{name}`, got a {type(value).__name__}")
        return value
