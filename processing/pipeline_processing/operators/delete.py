"""Points without some of their fields and tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import option, string
from pipeline_processing.operators.retagging import Retagging
from pipeline_processing.operators.runs import rows_of, with_rows
from pipeline_processing.points.keys import Keys, Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Take fields and tags away; what points are grouped by, they are grouped by no more without it.

    Out:   all points. One may be left without fields.
    From:  Kapacitor's `delete`.
    """

    KIND: ClassVar[str] = "delete"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None
    COUNTS: ClassVar[Sequence[str]] = ("fields_deleted", "tags_deleted")

    fields: tuple[str, ...] = option("field", string, (), "a field to take away", gathers=True)
    tags: tuple[str, ...] = option("tag", string, (), "a tag to take away", gathers=True)

    def initial(self) -> Retagging:
        return Retagging()

    def step(self, state: Retagging, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data, rows, gone = inputs[0], rows_of(inputs[0]), 0
        for name in self.fields:
            gone += int(rows.has(name).sum())
            rows = rows.without(name)
        counted = {"fields_deleted": gone, "tags_deleted": state.count(data, keys, self._gone) if self.tags else 0}
        data = with_rows(data, rows)
        out = state.of(data, keys, self._left, self._left) if self.tags else data
        return Step(state=state, out=out, counted=counted)

    def _left(self, tags: Tags) -> Tags:
        return tuple(each for each in tags if each[0] not in self.tags)

    def _gone(self, tags: Tags) -> int:
        return len(tags) - len(self._left(tags))
