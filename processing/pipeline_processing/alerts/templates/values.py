"""What templates compute with, and how Go prints it.

Texts, booleans, floats and None are Python's. Integers of fields are int (Go's int64), those of templates Int (Go's int).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline_processing.alerts.templates.layouts import formatted_time
from pipeline_processing.results.floats import plain_float
from pipeline_processing.results.times import EPOCH, SECOND_NS, decimals

NO_VALUE = "<no value>"
UNITS = ((3_600 * SECOND_NS, "h"), (60 * SECOND_NS, "m"))


class Int(int):
    """A number that stands in the template, or a length."""


class GoDuration(int):
    """Nanoseconds."""

    def __str__(self) -> str:
        return duration_text(int(self))


@dataclass(frozen=True, slots=True, order=True)
class GoTime:
    """A time in UTC, in ns since the epoch."""

    ns: int

    @property
    def moment(self) -> datetime.datetime:
        return EPOCH + datetime.timedelta(seconds=self.ns // SECOND_NS)

    def __str__(self) -> str:
        return f"{self.moment:%Y-%m-%d %H:%M:%S}{decimals(self.ns % SECOND_NS)} +0000 UTC"


DURATION_METHODS: Mapping[str, Callable[..., Any]] = {
    "Nanoseconds": int,
    "Seconds": lambda self: int(self) / SECOND_NS,
    "Minutes": lambda self: int(self) / (60 * SECOND_NS),
    "Hours": lambda self: int(self) / (3_600 * SECOND_NS),
    "String": str,
}
TIME_METHODS: Mapping[str, Callable[..., Any]] = {
    "Format": lambda self, layout: formatted_time(self.moment, self.ns % SECOND_NS, layout),
    "Unix": lambda self: self.ns // SECOND_NS,
    "UnixNano": lambda self: self.ns,
    "Year": lambda self: Int(self.moment.year),
    "Month": lambda self: f"{self.moment:%B}",
    "Day": lambda self: Int(self.moment.day),
    "Hour": lambda self: Int(self.moment.hour),
    "Minute": lambda self: Int(self.moment.minute),
    "Second": lambda self: Int(self.moment.second),
    "Nanosecond": lambda self: Int(self.ns % SECOND_NS),
    "YearDay": lambda self: Int(self.moment.timetuple().tm_yday),
    "Weekday": lambda self: f"{self.moment:%A}",
    "UTC": lambda self: self,
    "Local": lambda self: self,
    "IsZero": lambda self: False,
    "String": str,
    "Before": lambda self, other: self < other,
    "After": lambda self, other: self > other,
    "Equal": lambda self, other: self == other,
    "Sub": lambda self, other: GoDuration(self.ns - other.ns),
    "Add": lambda self, duration: GoTime(self.ns + duration),
}


METHODS: Mapping[type, Mapping[str, Callable[..., Any]]] = {GoTime: TIME_METHODS, GoDuration: DURATION_METHODS}


class StringMap(dict[str, str]):
    """A key that it lacks is ''."""


class AnyMap(dict[str, Any]):
    """A key that it lacks has no value."""


@dataclass(frozen=True, slots=True)
class Struct:
    """Fields by name, in their order; those of `embedded` are its own too, and come first."""

    type: str
    own: Mapping[str, Any]
    embedded: Struct | None = None
    fields: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        inherited = self.embedded.fields if self.embedded else {}
        object.__setattr__(self, "fields", {**inherited, **self.own})


CONSTANTS: Mapping[Any, str] = {None: "<nil>", True: "true", False: "false"}


def printed(value: Any) -> str:
    """As `%v`; what is nothing is `<nil>`."""
    if value is None or isinstance(value, bool):
        return CONSTANTS[value]
    if isinstance(value, float):
        return plain_float(value)
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{printed(value[key])}' for key in sorted(value))}]"
    if isinstance(value, (list, tuple)):
        return f"[{' '.join(map(printed, value))}]"
    if isinstance(value, Struct):
        parts = ([value.embedded] if value.embedded else []) + list(value.own.values())
        return f"{{{' '.join(map(printed, parts))}}}"
    return str(value)


def type_name(value: Any) -> str:
    """As `%T`."""
    if isinstance(value, Struct):
        return f"kapacitor.{value.type}"
    return TYPES.get(type(value), "<nil>" if value is None else "string")


TYPES: Mapping[type, str] = {
    str: "string",
    bool: "bool",
    float: "float64",
    int: "int64",
    Int: "int",
    GoDuration: "time.Duration",
    GoTime: "time.Time",
    StringMap: "map[string]string",
    AnyMap: "map[string]interface {}",
    list: "[]interface {}",
}


def truth(value: Any) -> bool:
    """Whether `if` takes it for true: neither false, 0, nothing nor empty."""
    return True if isinstance(value, (Struct, GoTime)) else bool(value)


def duration_text(ns: int) -> str:
    """`1h2m3.5s`; below a second `1.5ms`, `2µs`, `3ns`."""
    sign, left = ("-", -ns) if ns < 0 else ("", ns)
    if left < SECOND_NS:
        return sign + _below_a_second(left)
    text = ""
    for size_ns, unit in UNITS:
        if left >= size_ns or text:
            text += f"{left // size_ns}{unit}"
            left %= size_ns
    return f"{sign}{text}{left // SECOND_NS}{decimals(left % SECOND_NS)}s"


def _below_a_second(ns: int) -> str:
    if ns == 0:
        return "0s"
    size_ns, unit = next((size, unit) for size, unit in ((1_000_000, "ms"), (1_000, "µs"), (1, "ns")) if ns >= size)
    whole, rest = divmod(ns, size_ns)
    fraction = f"{rest:0{len(str(size_ns)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{fraction}{unit}" if fraction else f"{whole}{unit}"
