"""Lists: which of the objects, and what of each.

In:      `pattern`, `fields`, `offset` (0) and `limit` (100) of a request.
Out:     `{"tasks": [{..}, ..]}`, each object's names in their order; `id` and `link` are always there.
Refuses: (Refused) a pattern, number or field that is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pipeline_processing.tasks.api.messages import Request
from pipeline_processing.tasks.errors import Refused
from pipeline_processing.tasks.patterns import matcher

LIMIT = 100
ALWAYS = ("id", "link")
Field = Callable[[], Any]
Each = TypeVar("Each")


def matching(kind: str, every: Iterable[Each], request: Request, name: Callable[[Each], str]) -> list[Each]:
    """Raises Refused."""
    pattern = request.first("pattern")
    try:
        matches = matcher(pattern)
    except ValueError as reason:
        raise Refused(f'failed to list {kind} with pattern "{pattern}": {reason}') from None
    return [each for each in every if matches(name(each))]


def page(every: Sequence[Each], request: Request) -> Sequence[Each]:
    """A limit below 1 is none."""
    offset, limit = max(0, number(request, "offset", 0)), number(request, "limit", LIMIT)
    return every[offset:] if limit < 1 else every[offset : offset + limit]


def chosen(fields: Mapping[str, Field], request: Request, unless_asked: Sequence[str]) -> dict[str, Any]:
    """What is asked for of one object; raises Refused."""
    names = {*request.query["fields"], *ALWAYS} if request.query.get("fields") else unless_asked
    for name in names:
        if name not in fields:
            raise Refused(f'unsupported field "{name}"')
    return {name: fields[name]() for name in sorted(names)}


def number(request: Request, name: str, default: int) -> int:
    text = request.first(name)
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise Refused(f'invalid {name} parameter "{text}" must be an integer') from None
