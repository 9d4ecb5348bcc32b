"""Results sent to someone who listens, and what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline_processing.alerts import urls
from pipeline_processing.alerts.templates import BadTemplate
from pipeline_processing.operators.operator import EITHER, CannotRun, Data, Edge, Step, Tick
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
from pipeline_processing.operators.unanswered import NO_GROUPS, Unanswered
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Column
from pipeline_processing.points.keys import Ids, Keys

NO_ANSWER = 0
"""In place of a status."""


def url(given: Arguments) -> str:
    if len(given) > 1:
        raise ValueError(f"takes 1 argument, the URL, got {len(given)}")
    return a_string(given[0]) if given else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPost:
    """POST each point, or batch, as JSON.

    State: with `codeField` the points whose answers have not come yet.
    Out:   what came in: at once, or with `codeField` when it is answered, in order, with the answer's status; 0 says that none came.
    From:  Kapacitor's `httpPost`.
    """

    KIND: ClassVar[str] = "httpPost"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None
    COUNTS: ClassVar[tuple[str, ...]] = ("posts_sent", "post_errors", "posts_given_up", "posts_waiting")
    """What is counted of its posts when they have left, in the order of Counted."""

    url: str = argument(url, "where to; may be a template of `.Name`, `.Tags` and `.Values`", default="")
    endpoint: str = option("endpoint", string, "", "an endpoint of the server's configuration, in place of a URL")
    headers: tuple[tuple[str, str], ...] = option(
        "header",
        arguments(("a name", a_string), ("a value", a_string)),
        (),
        "a header of each request",
        gathers=True,
    )
    code_field: str = option(
        "codeField", string, "", "the name of a field for the answer's status; the point waits for it"
    )
    capture_response: bool = option("captureResponse", flag, False, "write the answer into the log where it says no")
    timeout_ns: int = option("timeout", duration, 0, "give up on an answer after it; 0 is the server's own bound")

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.endpoint):
            raise ValueError("wants either a URL or an endpoint()")
        try:
            urls.check(self.url)
        except BadTemplate as cause:
            raise CannotRun(str(cause)) from cause

    @property
    def awaits_answers(self) -> bool:
        """Whether what comes from outside goes on into the graph."""
        return bool(self.code_field)

    def keeps(self, state: Unanswered | None) -> Ids:
        """The groups of which something waits, if only a barrier."""
        return state.groups() if state is not None else NO_GROUPS

    def initial(self) -> Unanswered | None:
        return Unanswered() if self.awaits_answers else None

    def step(self, state: Unanswered | None, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data = inputs[0]
        request = Request(
            url=self.url,
            endpoint=self.endpoint,
            headers=self.headers,
            timeout_ns=self.timeout_ns,
            data=data,
            is_awaited=self.awaits_answers,
            is_captured=self.capture_response,
        )
        emitted = (request,) if len(data) else ()
        if state is None:
            return Step(state=None, out=data, emitted=emitted)
        state.add(data)
        answers = self._answers(tick, len(state))
        return Step(state=state, out=self._with_codes(state.next(len(answers), like=data), answers), emitted=emitted)

    def _answers(self, tick: Tick, waiting: int) -> np.ndarray:
        if tick.assumed_answer is not None:
            return np.full(waiting, tick.assumed_answer, dtype=np.int64)
        missing = waiting - len(tick.answers) if tick.closing else 0
        return np.array([*tick.answers, *[NO_ANSWER] * missing], dtype=np.int64)

    def _with_codes(self, data: Data, answers: np.ndarray) -> Data:
        if isinstance(data, Batches):
            codes = np.repeat(answers, data.sizes)
            return data.with_rows(data.rows.replaced(self.code_field, {"int": Column(codes)}))
        return data.replaced(self.code_field, {"int": Column(answers)}) if len(data) else data
