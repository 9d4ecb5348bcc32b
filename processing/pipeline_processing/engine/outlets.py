"""Where what leaves a task goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipeline_processing.alerts.inhibiting import HeldBack
from pipeline_processing.engine.courier import Counted
from pipeline_processing.graph.run import NO_ANSWERS, Answers, Left
from pipeline_processing.points.keys import Keys


class Outlets(Protocol):
    """Of one task, and used by its thread alone."""

    assumed_answer: int | None
    """What requests count as answered at once, where nobody is asked."""

    def open(self, before: Any) -> None:
        """Go on with what an earlier life kept, if there was one."""

    def begin(self) -> None:
        """The steps of the earlier life are repeated: ask what they left unanswered."""

    def answers(self) -> Answers:
        """What came and was not settled."""

    def settle(self, answers: Answers) -> None:
        """A step has taken these in, or had before it was repeated: their requests are done."""

    def awaits(self) -> bool:
        """Whether an answer may come."""

    holds: bool
    """Whether something was kept when `pending` was last asked."""

    def take(self, left: Sequence[Left], keys: Keys) -> None:
        """Take what one step let out, and keep it until it is where it belongs; waits while too much is kept."""

    def pending(self) -> Any:
        """What is kept, as a snapshot holds it."""

    def counted(self) -> Mapping[str, Counted]:
        """What became of posts and rows, by node; any thread may ask."""

    def inhibited(self) -> frozenset[HeldBack]:
        """What other tasks' alerts hold back now."""

    def inhibit(self, held: frozenset[HeldBack]) -> None:
        """What this task's do."""

    def release(self) -> None:
        """Wait for nothing any more: the task is to stop. Any thread may say so."""

    def close(self) -> None: ...


@dataclass(slots=True)
class Kept:
    """Outlets that only keep, for replays and tests: the newest `items_max`, or all. Requests count as taken."""

    items_max: int | None = None
    holds: bool = field(init=False, default=False)
    assumed_answer: int = 200
    left: deque[tuple[Left, Keys]] = field(init=False)

    def __post_init__(self) -> None:
        self.left = deque(maxlen=self.items_max)

    def take(self, left: Sequence[Left], keys: Keys) -> None:
        self.left.extend((each, keys) for each in left)

    def pending(self) -> None:
        return None

    def open(self, before: None) -> None:
        pass

    def begin(self) -> None:
        pass

    def answers(self) -> Answers:
        return NO_ANSWERS

    def settle(self, answers: Answers) -> None:
        pass

    def awaits(self) -> bool:
        return False

    def counted(self) -> dict[str, Counted]:
        return {}

    def inhibited(self) -> frozenset[HeldBack]:
        return frozenset()

    def inhibit(self, held: frozenset[HeldBack]) -> None:
        pass

    def release(self) -> None:
        pass

    def close(self) -> None:
        pass
