"""Results sent to someone who listens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import (
    Arguments,
    a_string,
    argument,
    arguments,
    duration,
    flag,
    option,
    string,
)
from pipeline_processing.operators.outside import Request
from pipeline_processing.points.keys import Keys


def url(given: Arguments) -> str:
    if len(given) > 1:
        raise ValueError(f"takes 1 argument, the URL, got {len(given)}")
    return a_string(given[0]) if given else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPost:
    """POST each point, or batch, as JSON.

    Out:   what came in.
    From:  Kapacitor's `httpPost`.
    """

    KIND: ClassVar[str] = "httpPost"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    url: str = argument(url, "where to", default="")
    endpoint: str = option("endpoint", string, "", "an endpoint of the server's configuration, in place of a URL")
    headers: tuple[tuple[str, str], ...] = option(
        "header",
        arguments(("a name", a_string), ("a value", a_string)),
        (),
        "a header of each request",
        gathers=True,
    )
    code_field: str = option("codeField", string, "", "the name of a field that holds the answer's status")
    capture_response: bool = option("captureResponse", flag, False, "add fields of a JSON answer to the point")
    timeout_ns: int = option("timeout", duration, 0, "give up on an answer after it; 0 is the server's own bound")

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.endpoint):
            raise ValueError("wants either a URL or an endpoint()")

    def initial(self) -> None:
        return None

    def step(self, state: None, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        request = Request(url=self.url, headers=self.headers, timeout_ns=self.timeout_ns, data=inputs[0])
        return Step(state=None, out=inputs[0], emitted=(request,) if len(inputs[0]) else ())
