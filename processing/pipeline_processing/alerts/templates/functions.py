"""The functions that templates may call.

Each takes values and gives one, or refuses them (ValueError, worded as Go's); who calls says where.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from pipeline_processing.alerts.templates.formatting import printf
from pipeline_processing.alerts.templates.values import GoTime, Int, StringMap, Struct, printed, truth, type_name
from pipeline_processing.results.json_text import text_of

HTML_SIGNS = {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
JS_SIGNS = {
    **{chr(code): f"\\u{code:04X}" for code in range(0x20)},
    **{"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D"},
}


def html(*values: Any) -> str:
    return joined(values).translate(str.maketrans(HTML_SIGNS))


def js(*values: Any) -> str:
    return joined(values).translate(str.maketrans(JS_SIGNS))


def urlquery(*values: Any) -> str:
    return urllib.parse.quote_plus(joined(values))


def joined(values: tuple[Any, ...]) -> str:
    """One text as it stands; several as `print` has them."""
    return print_(*values)


def print_(*values: Any) -> str:
    """With a space between two of which neither is a text."""
    text = ""
    for at, value in enumerate(values):
        between = at > 0 and not isinstance(value, str) and not isinstance(values[at - 1], str)
        text += (" " if between else "") + printed(value)
    return text


def println(*values: Any) -> str:
    return " ".join(map(printed, values)) + "\n"


def formatted(template: Any, *values: Any) -> str:
    if not isinstance(template, str):
        raise ValueError(f"wrong type for value; expected string; got {type_name(template)}")
    return printf(template, values)


def index(item: Any, *keys: Any) -> Any:
    for key in keys:
        item = _at(item, key)
    return item


def _at(item: Any, key: Any) -> Any:
    if item is None:
        raise ValueError("index of untyped nil")
    if isinstance(item, Mapping):
        if not isinstance(key, str):
            raise ValueError(f"value has type {type_name(key)}; should be string")
        return item.get(key, "" if isinstance(item, StringMap) else None)
    if isinstance(item, (list, tuple, str)):
        return _of_list(item.encode() if isinstance(item, str) else item, key)
    raise ValueError(f"can't index item of type {type_name(item)}")


def _of_list(item: Any, key: Any) -> Any:
    if not _is_int(key):
        raise ValueError(f"cannot index slice/array with type {type_name(key)}")
    if not 0 <= key < len(item):
        raise ValueError(f"index out of range: {key}")
    return item[key]


def length(item: Any) -> Int:
    if item is None:
        raise ValueError("len of nil pointer")
    if isinstance(item, str):
        return Int(len(item.encode()))
    if isinstance(item, (Mapping, list, tuple)):
        return Int(len(item))
    raise ValueError(f"len of type {type_name(item)}")


def slice_(item: Any, *bounds: Any) -> Any:
    if not isinstance(item, (str, list, tuple)):
        raise ValueError(f"can't slice item of type {type_name(item)}")
    if len(bounds) > 2:
        raise ValueError("too many slice indexes")
    whole = item.encode() if isinstance(item, str) else item
    begin, end = (*bounds, *(0, len(whole))[len(bounds) :])
    if not (_is_int(begin) and _is_int(end) and 0 <= begin <= end <= len(whole)):
        raise ValueError(f"invalid slice index: {begin} > {end}")
    part = whole[begin:end]
    return part.decode(errors="replace") if isinstance(part, bytes) else part


def and_(first: Any, *others: Any) -> Any:
    """The first that is empty, else the last."""
    for each in others:
        if not truth(first):
            return first
        first = each
    return first


def or_(first: Any, *others: Any) -> Any:
    """The first that is not empty, else the last."""
    for each in others:
        if truth(first):
            return first
        first = each
    return first


def equal(first: Any, *others: Any) -> bool:
    """Whether the first equals any of the others."""
    if not others:
        raise ValueError("missing argument for comparison")
    return any(_equal(first, each) for each in others)


def _equal(first: Any, second: Any) -> bool:
    if _kind(first) != _kind(second):
        raise ValueError("incompatible types for comparison")
    return bool(first == second)


def not_equal(first: Any, second: Any) -> bool:
    return not _equal(first, second)


def less(first: Any, second: Any) -> bool:
    kind = _kind(first)
    if kind in ("bool", "time"):
        raise ValueError("invalid type for comparison")
    if kind != _kind(second):
        raise ValueError("incompatible types for comparison")
    return bool(first < second)


def _kind(value: Any) -> str:
    for kind, types in (("bool", bool), ("int", int), ("float", float), ("string", str), ("time", GoTime)):
        if isinstance(value, types):
            return kind
    raise ValueError("invalid type for comparison")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def json_value(value: Any) -> Any:
    """What JSON has for it: times as text, durations in ns."""
    if isinstance(value, GoTime):
        text = str(value)
        return text[:10] + "T" + text[11:].replace(" +0000 UTC", "Z")
    if isinstance(value, Struct):
        value = value.fields
    if isinstance(value, Mapping):
        keys = sorted(value) if isinstance(value, dict) and type(value) is not dict else value
        return {key: json_value(value[key]) for key in keys}
    return value


class Script(str):
    """Text that is JavaScript already."""

    __slots__ = ()


def json(value: Any) -> Script:
    """Its JSON, and the end of a line; nothing where it has none."""
    try:
        return Script(text_of(json_value(value)) + "\n")
    except ValueError:
        return Script("")


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "and": and_,
    "eq": equal,
    "ge": lambda first, second: not less(first, second),
    "gt": lambda first, second: not (less(first, second) or _equal(first, second)),
    "html": html,
    "index": index,
    "js": js,
    "le": lambda first, second: less(first, second) or _equal(first, second),
    "len": length,
    "lt": less,
    "ne": not_equal,
    "not": lambda value: not truth(value),
    "or": or_,
    "print": print_,
    "printf": formatted,
    "println": println,
    "slice": slice_,
    "urlquery": urlquery,
}
WITH_JSON: Mapping[str, Callable[..., Any]] = {**FUNCTIONS, "json": json}
"""Those of details and URLs."""
