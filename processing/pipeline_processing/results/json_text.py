"""JSON as Go's encoding/json writes it.

In:      dicts (in their order), lists, tuples, texts, numbers, booleans, None; numpy's numbers too.
Out:     bytes, compact; `<`, `>` and `&` are escaped, integral floats have no fraction.
Refuses: numbers that are not finite, and what has no JSON (NotJson).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pipeline_processing.errors import ProcessingError
from pipeline_processing.results.floats import json_float

SPECIAL = re.compile('[\x00-\x1f"\\\\<>&\u2028\u2029\ud800-\udfff]')
SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
Write = Callable[[str], object]


class NotJson(ProcessingError, ValueError):
    """A value that JSON cannot hold."""


def dumps(value: Any) -> bytes:
    return text_of(value).encode()


def text_of(value: Any) -> str:
    parts: list[str] = []
    _write(value, parts.append)
    return "".join(parts)


def quoted(text: str) -> str:
    """A text in its quotes; half of a surrogate pair becomes U+FFFD."""
    return f'"{SPECIAL.sub(_escaped, text)}"'


def _escaped(found: re.Match[str]) -> str:
    sign = found[0]
    if "\ud800" <= sign <= "\udfff":
        return "\\ufffd"
    return SHORT.get(sign) or f"\\u{ord(sign):04x}"


def _write(value: Any, write: Write) -> None:
    if isinstance(value, Mapping):
        _write_members(value, write)
    elif isinstance(value, (list, tuple)):
        _write_items(value, write)
    else:
        write(_scalar(value))


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return _number(float(value))
    raise NotJson(f"json: unsupported type: {type(value).__name__}")


def _number(value: float) -> str:
    if math.isfinite(value):
        return json_float(value)
    raise NotJson(f"json: unsupported value: {'NaN' if math.isnan(value) else '+Inf' if value > 0 else '-Inf'}")


def _write_members(value: Mapping[str, Any], write: Write) -> None:
    before = "{"
    for name, each in value.items():
        write(before + quoted(name) + ":")
        _write(each, write)
        before = ","
    write("}" if value else "{}")


def _write_items(value: list[Any] | tuple[Any, ...], write: Write) -> None:
    before = "["
    for each in value:
        write(before)
        _write(each, write)
        before = ","
    write("]" if value else "[]")
