"""Regular expressions over columns of texts: RE2's, as Go's are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_processing.expressions.distinct import by_value, distinct
from pipeline_processing.expressions.rows import Coded, Rows, Value, varies
from pipeline_processing.expressions.tree import Kind

_LOST = re.compile("[\ud800-\udfff]")
_GROUP = re.compile(r"\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\((?!\?)|\(\?P?<(\w+)>", re.S)
_TEMPLATE = re.compile(r"\\|\$(?:(\$)|\{(\w+)\}|(\w+))")
_GROUPS_MAX = 9
"""RE2's templates name no more."""


def matched(rows: Rows, text: Value, pattern: str) -> Value:
    """Whether the pattern is found in each row's text."""
    if not varies(text):
        return np.bool_(_matches([text], pattern)[0])
    texts, codes = distinct(text)
    return _matches(texts, pattern)[codes]


def replaced(rows: Rows, arguments: Sequence[Value], kinds: Sequence[Kind]) -> Value:
    """Each row's text, what the pattern finds in it being replaced; `$1` and `${name}` stand for its groups."""
    pattern, text, template = arguments
    if varies(template) or not varies(text):
        return by_value(rows, lambda each, by: _replaced([each], pattern, by)[0], [text, template], "string")
    texts, codes = distinct(text)
    values = np.empty(len(texts), dtype=object)
    values[:] = _replaced(texts, pattern, template)
    return Coded(values, codes)


def _replaced(texts: Sequence[str], pattern: str, template: str) -> list[str]:
    return pc.replace_substring_regex(_strings(texts), pattern, rewritten(pattern, template)).to_pylist()


def _matches(texts: Sequence[str], pattern: str) -> np.ndarray:
    return pc.match_substring_regex(_strings(texts), pattern).to_numpy(zero_copy_only=False)


def _strings(texts: Sequence[str]) -> pa.Array:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array([_LOST.sub("\ufffd", text) for text in texts], pa.string())


@lru_cache
def rewritten(pattern: str, template: str) -> str:
    """Go's template as RE2's. A group that there is not is nothing; `$1x` names a group `1x`."""
    names = groups(pattern)

    def of(found: re.Match[str]) -> str:
        if found[0] == "\\":
            return "\\\\"
        if found[1]:
            return "$"
        name = found[2] or found[3]
        number = _number(name, names)
        if number > len(names):
            return ""
        if number > _GROUPS_MAX:
            raise ValueError(f"regexReplace: a template names group {number}, allowed are {_GROUPS_MAX}")
        return f"\\{number}"

    return _TEMPLATE.sub(of, template)


def _number(name: str, names: Sequence[str]) -> int:
    """The group's number, or one that no group has."""
    if name.isascii() and name.isdecimal() and (name == "0" or name[0] != "0"):
        return int(name)
    return max((at for at, each in enumerate(names, 1) if each == name), default=len(names) + 1)


def groups(pattern: str) -> list[str]:
    """The names of the pattern's groups, '' for those without."""
    found = (each for each in _GROUP.finditer(pattern) if each[0].startswith("("))
    return [each[1] or "" for each in found]
