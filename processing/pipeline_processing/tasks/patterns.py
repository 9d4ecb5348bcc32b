"""Patterns of ids, as the API's lists take them.

In:      `*`, `?`, `[a-z]`, `[^a-z]` and `\\` before a character that stands for itself.
Out:     whether an id matches as a whole. An empty pattern matches all.
Refuses: (ValueError) a pattern that is cut off.
From:    Go's `path.Match`; ids hold no slash, at which `*` would end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator


def matcher(pattern: str) -> Callable[[str], bool]:
    """Raises ValueError."""
    if not pattern:
        return lambda _: True
    first, *others = _parts(pattern)
    # What stands between two stars is looked for once, at its first place: another would match no more.
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    last = f".*{others[-1]}" if others else ""
    try:
        compiled = re.compile(first + between + last, re.DOTALL)
    except re.error:
        raise _bad(pattern) from None
    return lambda text: compiled.fullmatch(text) is not None


def _parts(pattern: str) -> list[str]:
    """Regular expressions of what stands around the stars."""
    parts, rest = [""], iter(pattern)
    for char in rest:
        if char == "*":
            parts.append("")
        elif char == "?":
            parts[-1] += "."
        elif char == "[":
            parts[-1] += _class(rest, pattern)
        else:
            parts[-1] += re.escape(_next(rest, pattern) if char == "\\" else char)
    return parts


def _class(rest: Iterator[str], pattern: str) -> str:
    char = _next(rest, pattern)
    is_other = char == "^"
    if is_other:
        char = _next(rest, pattern)
    found = ""
    while char != "]" or not found:
        if char in "]-":
            raise _bad(pattern)
        found += re.escape(_next(rest, pattern) if char == "\\" else char)
        char = _next(rest, pattern)
        if char == "-":
            char = _next(rest, pattern)
            found += f"-{re.escape(_next(rest, pattern) if char == chr(92) else char)}"
            char = _next(rest, pattern)
    return f"[{'^' if is_other else ''}{found}]"


def _next(rest: Iterator[str], pattern: str) -> str:
    for char in rest:
        return char
    raise _bad(pattern)


def _bad(pattern: str) -> ValueError:
    return ValueError(f'syntax error in pattern "{pattern}"')
