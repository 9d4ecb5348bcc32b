"""Points written into the server that made them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import a_string, arguments, option, string
from pipeline_processing.operators.outside import Looped
from pipeline_processing.operators.runs import rows_of
from pipeline_processing.operators.tagging import tagged_alike
from pipeline_processing.points.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Loopback:
    """Write points into this server, where tasks of the database and retention policy take them.

    Out:   nothing.
    From:  Kapacitor's `kapacitorLoopback`.
    """

    KIND: ClassVar[str] = "kapacitorLoopback"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None
    EXACT_STEPS: ClassVar[bool] = True
    """What it writes is known again by the step that wrote it."""

    database: str = option("database", string, "", "their database; each point's own if unset")
    retention_policy: str = option("retentionPolicy", string, "", "their retention policy; each point's own if unset")
    measurement: str = option("measurement", string, "", "their measurement; each point's own if unset")
    tags: tuple[tuple[str, str], ...] = option(
        "tag", arguments(("a name", a_string), ("a value", a_string)), (), "a tag for every point", gathers=True
    )

    def initial(self) -> None:
        return None

    def step(self, state: None, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        points = tagged_alike(rows_of(inputs[0]), self.tags, keys)
        looped = Looped(
            database=self.database,
            retention_policy=self.retention_policy,
            measurement=self.measurement,
            points=points,
        )
        return Step(state=None, out=inputs[0], emitted=(looped,) if len(points) else ())
