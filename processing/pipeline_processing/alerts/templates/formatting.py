"""`printf` as Go's fmt has it.

In:  a format and its arguments.
Out: the text; what does not fit is said in it, as `%!d(string=hi)`, and is no error.
From: the documentation of Go's package fmt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_processing.alerts.templates.values import GoDuration, GoTime, printed, type_name
from pipeline_processing.results.floats import plain_float

VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d+|\*)?(?:\.(?P<precision>\d*|\*))?(?P<verb>.)?", re.S)
QUOTED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    flags: str
    width: int
    precision: int | None
    verb: str


def printf(template: str, arguments: Sequence[Any]) -> str:
    left = iter(arguments)
    used = 0

    def write(found: re.Match[str]) -> str:
        nonlocal used
        if found["verb"] is None:
            return "%!(NOVERB)"
        if found["verb"] == "%":
            return "%"
        verb, value, taken = _taken(found, left)
        used += taken
        return f"%!{verb.verb}(MISSING)" if value is MISSING else written(verb, value)

    text = VERB.sub(write, template)
    return text + _extra(arguments[used:])


MISSING = object()


def _taken(found: re.Match[str], left: Iterator[Any]) -> tuple[Verb, Any, int]:
    """The verb with what `*` stands for, its argument, and how many were taken."""
    taken = 0
    sizes = []
    for size in (found["width"], found["precision"]):
        taken += size == "*"
        said = next(left, 0) if size == "*" else size
        sizes.append(None if said is None else int(said or 0))
    flags = found["flags"]
    verb = Verb(flags=flags, width=sizes[0] or 0, precision=sizes[1], verb=found["verb"])
    value = next(left, MISSING)
    return verb, value, taken + (value is not MISSING)


def _extra(arguments: Sequence[Any]) -> str:
    if not arguments:
        return ""
    return f"%!(EXTRA {', '.join(f'{type_name(each)}={printed(each)}' for each in arguments)})"


def written(verb: Verb, value: Any) -> str:
    if verb.verb == "T":
        return _padded(verb, type_name(value))
    if value is None:
        return _padded(verb, "<nil>") if verb.verb == "v" else f"%!{verb.verb}(<nil>)"
    if isinstance(value, Mapping) and verb.verb != "v":
        return f"map[{' '.join(f'{written(verb, key)}:{written(verb, value[key])}' for key in sorted(value))}]"
    if isinstance(value, (list, tuple)) and verb.verb != "v":
        return f"[{' '.join(written(verb, each) for each in value)}]"
    if isinstance(value, (GoTime, GoDuration)) and verb.verb in "svq":
        value = str(value)
    kind = "bool" if isinstance(value, bool) else next((k for t, k in KINDS.items() if isinstance(value, t)), "other")
    write = WRITERS.get((kind, verb.verb))
    if write is None:
        return _padded(verb, printed(value)) if verb.verb == "v" else _wrong(verb, value)
    return write(verb, value)


def _wrong(verb: Verb, value: Any) -> str:
    return f"%!{verb.verb}({type_name(value)}={printed(value)})"


def _padded(verb: Verb, text: str) -> str:
    if "-" in verb.flags:
        return text.ljust(verb.width)
    return text.rjust(verb.width, "0" if "0" in verb.flags else " ")


def _number(verb: Verb, text: str) -> str:
    """With its sign, and zeros behind it where they fill."""
    sign = "-" if text.startswith("-") else "+" if "+" in verb.flags else " " if " " in verb.flags else ""
    digits = text.lstrip("+-")
    if "0" in verb.flags and "-" not in verb.flags:
        return sign + digits.rjust(verb.width - len(sign), "0")
    return _padded(verb, sign + digits)


def _whole(base: str) -> Callable[[Verb, int], str]:
    def write(verb: Verb, value: int) -> str:
        digits = format(abs(value), base)
        digits = digits.rjust(verb.precision or 0, "0")
        prefix = {"x": "0x", "X": "0X", "o": "0"}.get(base, "") if "#" in verb.flags else ""
        return _number(verb, ("-" if value < 0 else "") + prefix + digits)

    return write


def _fraction(verb: Verb, value: float) -> str:
    plain = verb.verb == "v" or (verb.verb in "gG" and verb.precision is None)
    if plain or not math.isfinite(value):
        text = plain_float(value)
    elif verb.verb in "eE" and verb.precision is None:
        text = f"{value:.6e}"
    else:
        text = f"{value:.{6 if verb.precision is None else verb.precision}{verb.verb}}"
    return _number(verb, text.upper() if verb.verb in "EG" else text)


def _text(verb: Verb, value: str) -> str:
    return _padded(verb, value if verb.precision is None else value[: verb.precision])


def _quoted(verb: Verb, value: str) -> str:
    value = value if verb.precision is None else value[: verb.precision]
    return _padded(verb, f"`{value}`" if "#" in verb.flags and "`" not in value else quote(value))


def quote(text: str) -> str:
    """In double quotes, as a literal of Go's."""
    return '"' + "".join(map(_quoted_sign, text)) + '"'


def _quoted_sign(sign: str) -> str:
    if sign in '"\\':
        return "\\" + sign
    if sign in QUOTED:
        return QUOTED[sign]
    if sign.isprintable():
        return sign
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _hex_text(verb: Verb, value: str) -> str:
    text = value.encode().hex(*((" ",) if " " in verb.flags else ()))
    return _padded(verb, text.upper() if verb.verb == "X" else text)


KINDS: Mapping[type, str] = {str: "string", int: "int", float: "float"}
WRITERS: Mapping[tuple[str, str], Callable[[Verb, Any], str]] = {
    **{("string", each): _text for each in "sv"},
    **{("string", each): _hex_text for each in "xX"},
    ("string", "q"): _quoted,
    **{("int", each): _whole(each) for each in "dboxX"},
    ("int", "v"): _whole("d"),
    ("int", "c"): lambda verb, value: _padded(verb, chr(value)),
    ("int", "q"): lambda verb, value: _padded(verb, "'" + quote(chr(value))[1:-1] + "'"),
    ("int", "U"): lambda verb, value: _padded(verb, f"U+{value:04X}"),
    **{("float", each): _fraction for each in "veEfFgG"},
    **{("bool", each): lambda verb, value: _padded(verb, printed(value)) for each in "tv"},
}
