"""What an operator is: a frozen description with `initial()` and `step(state, inputs, tick, keys)`.

It is pure: no I/O, no clock, no thread; time comes as a tick. What must leave the task (an alert's event, a request, a row
for a database) comes back in `Step.emitted`, and the engine sees to it. A step may reuse the state's arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from pipeline_processing.points.batches import Batches
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys

Edge: TypeAlias = Literal["stream", "batch"]
Data: TypeAlias = Frame | Batches
"""On a stream edge a frame, on a batch edge batches; empty ones when only time went on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What time a step has, in ns since the epoch, and what came from outside; the engine records it, so that a repeat gives the same.

    `closing` is the last step of a task that has an end (a replay does, a live task does not): operators that hold points
    back let them go. `answers` are what this operator's requests were answered that were not before, in their order; where
    nobody is asked, in a replay or a test, `assumed_answer` stands for all of them.
    """

    now_ns: int
    closing: bool = False
    answers: tuple[int, ...] = ()
    assumed_answer: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`errors` counts points that were dropped, by reason."""

    state: Any
    out: Data
    emitted: Sequence[Any] = ()
    errors: Mapping[str, int] = field(default_factory=dict)
    counted: Mapping[str, int] = field(default_factory=dict)
    """What the operator counts beside points, by the names in its `COUNTS`."""


class Operator(Protocol):
    KIND: ClassVar[str]
    """Its name in scripts, such as `stateCount`."""
    TAKES: ClassVar[frozenset[Edge]]
    """The kinds of edges that it may follow."""
    GIVES: ClassVar[Edge | None]
    """The kind of edge that follows it; None gives what it takes."""

    def initial(self) -> Any:
        """The state before the first step: what pickles, arrays indexed by group where it can."""

    def step(self, state: Any, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        """One input a parent, in the parents' order."""


def is_clocked(operator: Operator) -> bool:
    """Whether it has times at which it is due, as `due_ns` of its state says. One that has them only where it is told to says so
    in `clocked`."""
    return hasattr(operator, "due_ns") and getattr(operator, "clocked", True)


class CannotRun(ValueError):
    """What an operator's fields say can be written, and not be run."""


STREAM: frozenset[Edge] = frozenset({"stream"})
BATCH: frozenset[Edge] = frozenset({"batch"})
EITHER: frozenset[Edge] = frozenset({"stream", "batch"})
