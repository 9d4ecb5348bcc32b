"""Values for a script's variables, as JSON has them.

In:      `{"x": {"type": "int", "value": 5, "description": "..."}}`.
Out:     the same with each value in one form: a duration in ns, a float as a float, a list as a list of such objects.
Refuses: (Refused) a type that is unknown, a value of another type, a regular expression or a lambda that is none.
From:    Kapacitor's template variables; a regular expression and a lambda stay texts, which the compiler reads again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from pipeline_processing.tasks.errors import Refused
from pipeline_processing.tasks.times import duration_ns
from pipeline_processing.tickscript.errors import TickError
from pipeline_processing.tickscript.given import given_value

Var = Mapping[str, Any]
INT64 = range(-(2**63), 2**63)


def checked(given: Mapping[str, Any]) -> dict[str, Var]:
    """Raises Refused."""
    found = {}
    for name, var in given.items():
        try:
            found[name] = _var(var) | {"description": _description(var)}
        except (ValueError, TickError) as reason:
            raise Refused(f"invalid var {name}: {reason}") from None
    return found


def _var(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not isinstance(given.get("type"), str):
        raise ValueError('it is no object with "type" and "value"')
    kind = given["type"]
    if kind not in READERS:
        raise ValueError(f'type "{kind}" is unknown; there are {", ".join(READERS)}')
    return {"type": kind, "value": READERS[kind](given.get("value"))}


def _description(given: Any) -> str:
    description = given.get("description")
    return description if isinstance(description, str) else ""


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong("bool", value)
    return value


def _int(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in INT64:
        raise _wrong("int", value)
    return value


def _float(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _wrong("float", value)
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong("text", value)
    return value


def _regex(value: Any) -> str:
    given_value("regex", _text(value))
    return value


def _lambda(value: Any) -> str:
    given_value("lambda", _text(value))
    return value


def _duration(value: Any) -> int:
    return duration_ns(value) if isinstance(value, str) else _int(value)


def _list(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise _wrong("list", value)
    items = [_var(item) for item in value]
    for item in items:
        if item["type"] not in {"string", "star"}:
            raise ValueError(f"a list holds strings and stars, and no {item['type']}")
    return items


def _nothing(_value: Any) -> None:
    return None


def _wrong(kind: str, value: Any) -> ValueError:
    return ValueError(f"its value is {value!r}, which is no {kind}")


READERS: Mapping[str, Callable[[Any], Any]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "string": _text,
    "regex": _regex,
    "duration": _duration,
    "lambda": _lambda,
    "list": _list,
    "star": _nothing,
}
