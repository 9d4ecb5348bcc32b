"""What passes, written into the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import option, string
from pipeline_processing.operators.outside import LogLines
from pipeline_processing.points.keys import Keys

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Pass all on, and let out a line for each point or batch, at INFO where there is no such level.

    From: Kapacitor's `log` (1.5), which runs scripts that name other levels.
    """

    KIND: ClassVar[str] = "log"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None

    level: str = option("level", string, "INFO", "DEBUG, INFO, WARN or ERROR")
    prefix: str = option("prefix", string, "", "what each line begins with")

    def initial(self) -> None:
        return None

    def step(self, state: None, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data = inputs[0]
        level = self.level.upper() if self.level.upper() in LEVELS else "INFO"
        lines = [LogLines(level=level, prefix=self.prefix, data=data)] if len(data) else []
        return Step(state=state, out=data, emitted=lines)
