"""Points, or batches, that wait for something outside, in their order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline_processing.operators.operator import Data
from pipeline_processing.points.barriers import Barriers, one_after_the_other
from pipeline_processing.points.batches import Batches, joined
from pipeline_processing.points.frame import concatenated
from pipeline_processing.points.keys import Ids

NO_GROUPS = np.empty(0, dtype=np.int32)


@dataclass(slots=True)
class Unanswered:
    """What steps brought; `gone` counts what has left of the first. Barriers wait for what came before them."""

    steps: deque[Data] = field(default_factory=deque)
    gone: int = 0

    def __len__(self) -> int:
        return sum(map(len, self.steps)) - self.gone

    def add(self, data: Data) -> None:
        if len(data) or data.barriers is not None:
            self.steps.append(data)

    def groups(self) -> Ids:
        """Of all that waits, barriers too."""
        told = [each.barriers.group for each in self.steps if each.barriers is not None]
        return np.unique(np.concatenate([NO_GROUPS, *(each.group for each in self.steps), *told]))

    def next(self, count: int, *, like: Data) -> Data:
        """So many of the oldest, and the barriers that nothing is left before; `like` says of which kind they are."""
        parts: list[Data] = []
        barriers: Barriers | None = None
        while self.steps:
            part = self.steps[0]
            taken = min(count, len(part) - self.gone)
            parts.append(part.take(np.arange(self.gone, self.gone + taken)))
            self.gone += taken
            count -= taken
            if self.gone < len(part):
                break
            barriers = one_after_the_other(barriers, part.barriers)
            self.steps.popleft()
            self.gone = 0
        together = joined if isinstance(like, Batches) else concatenated
        return replace(together(parts), barriers=barriers)
