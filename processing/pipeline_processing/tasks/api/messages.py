"""Requests and responses, and JSON as Kapacitor writes it.

Out:   four spaces a level; `<`, `>` and `&` as escapes, as Go has them; a float without a fraction as a whole number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

BASE = "/kapacitor/v1"
VERSION = "1.5.9"
"""Of Kapacitor, whose API this is."""
JSON = ("content-type", "application/json; charset=utf-8")
ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
"""They stand in strings only."""
WHOLE_MAX = 1e15
"""Above it a float may have no exact integer, and its text an exponent."""
Header = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The path is decoded; names of headers are in small letters."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def first(self, name: str) -> str:
        """A parameter's first value; empty where it is missing."""
        return next(iter(self.query.get(name, ())), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    headers: Sequence[Header] = (JSON,)
    body: bytes = b""


def answered(told: Any, status: int = 200) -> Response:
    return Response(status=status, body=written(told))


def done() -> Response:
    return Response(status=204)


def failed(status: int, reason: object, *headers: Header) -> Response:
    return Response(status=status, headers=(JSON, *headers), body=written({"error": str(reason)}))


def written(told: Any) -> bytes:
    return json.dumps(_plain(told), indent=4, ensure_ascii=False).translate(ESCAPED).encode()


def link(kind: str, name: str) -> dict[str, str]:
    return {"rel": "self", "href": f"{BASE}/{kind}/{name}"}


def _plain(told: Any) -> Any:
    if isinstance(told, Mapping):
        return {key: _plain(value) for key, value in told.items()}
    if isinstance(told, list | tuple):
        return [_plain(each) for each in told]
    if isinstance(told, float) and told.is_integer() and abs(told) < WHOLE_MAX:
        return int(told)
    return told
