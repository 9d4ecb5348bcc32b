"""A tree as an expression: computed for frames, by one typed plan for each combination of types that rows have.

In:      frames in arrival order, and the state that earlier ones left.
Out:     a value a row, or an error: types that do not go together, an integer divided by zero, a text that is no number.
State:   that of `count`, `sigma` and `spread`, one a lambda and group, however often the lambda calls it.
From:    Kapacitor's package tick/stateful; unlike there, a row with an error changes nothing for later ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline_processing.expressions.arrival import by_turn
from pipeline_processing.expressions.distinct import DTYPES
from pipeline_processing.expressions.expression import Evaluated
from pipeline_processing.expressions.kinds import Mismatch
from pipeline_processing.expressions.planning import Program, program
from pipeline_processing.expressions.rows import Rows, column
from pipeline_processing.expressions.running import RUNNING
from pipeline_processing.expressions.sources import Sources, clash
from pipeline_processing.expressions.texts import HALVES, mended
from pipeline_processing.expressions.tree import Call, Field, Kind, Node, walked
from pipeline_processing.points.frame import Column, Frame, Type
from pipeline_processing.points.keys import Ids, Keys

State = dict[tuple[int, str], Any]
"""By the lambda that calls it, and the function."""


class Compiled:
    """An Expression. What it keeps of series and types is no state: it is found again where it is lost."""

    def __init__(self, tree: Node) -> None:
        nodes = list(walked(tree))
        calls = [each for each in nodes if isinstance(each, Call)]
        self.tree = tree
        self._running = [(each.scope, each.name) for each in calls if each.name in RUNNING]
        self._halves = any(each.name in HALVES for each in calls)
        self._sources = Sources(tuple(sorted({each.name for each in nodes if isinstance(each, Field)})))
        self._programs: dict[tuple[str, ...], Program | str] = {}

    def __reduce__(self) -> tuple[type[Compiled], tuple[Node]]:
        return Compiled, (self.tree,)

    def initial(self) -> State:
        return {key: RUNNING[key[1]]() for key in self._running}

    def evaluate(self, frame: Frame, state: State, tick_ns: int, keys: Keys) -> Evaluated:
        result = _Result(len(frame))
        if not len(frame):
            return result.evaluated()
        self._sources.learn(keys)
        signatures, which = self._sources.signatures(frame)
        programs = [self._program(signature) for signature in signatures]
        with np.errstate(all="ignore"):
            for number, at in self._together(frame, programs, which, len(keys.groups)):
                group = frame.group if at is None else frame.group[at]
                fields = self._fields(signatures[number], frame, at)
                rows = Rows(
                    count=len(group),
                    fields=fields,
                    group=group,
                    groups=len(keys.groups),
                    now_ns=tick_ns,
                    state=state,
                )
                self._add(result, programs[number], rows, at)
        return result.evaluated()

    def forget(self, state: State, groups: Ids) -> None:
        for each in state.values():
            each.forget(groups)

    def _program(self, signature: tuple[str, ...]) -> Program | str:
        """How rows with these fields are computed, or the reason why they are not."""
        known = self._programs.get(signature)
        if known is None:
            known = self._programs[signature] = self._made(signature)
        return known

    def _made(self, signature: tuple[str, ...]) -> Program | str:
        names = self._sources.names
        if clashing := clash(names, signature):
            return f'cannot have field and tags with same name "{clashing}"'
        kinds: Mapping[str, Any] = {
            name: "string" if kind == "tag" else kind for name, kind in zip(names, signature, strict=True)
        }
        try:
            return program(self.tree, kinds)
        except Mismatch as mismatch:
            return str(mismatch)

    def _together(
        self, frame: Frame, programs: list[Program | str], which: np.ndarray | None, groups: int
    ) -> Iterator[tuple[int, np.ndarray | None]]:
        """Rows that are computed together: the number of their program, and their positions (None is all)."""
        alone = len(set(self._running)) < len(self._running)
        if which is None and not alone:
            yield 0, None
            return
        numbers = np.zeros(len(frame), dtype=np.int64) if which is None else which
        counted = [number for number, each in enumerate(programs) if self._running and isinstance(each, Program)]
        if len(counted) <= 1 and not alone:
            counted = []
        for number in range(len(programs)):
            if number not in counted:
                yield number, np.flatnonzero(numbers == number)
        if counted:
            yield from by_turn(frame.group, np.where(np.isin(numbers, counted), numbers, -1), groups, alone=alone)

    def _fields(self, signature: tuple[str, ...], frame: Frame, at: np.ndarray | None) -> dict[str, Any]:
        values = self._sources.value
        named = zip(self._sources.names, signature, strict=True)
        return {name: values(name, kind, frame, at) for name, kind in named if kind not in {"missing", "null", "both"}}

    def _add(self, result: _Result, how: Program | str, rows: Rows, at: np.ndarray | None) -> None:
        if isinstance(how, str):
            rows.fail(True, how)
            result.lose(rows, at)
            return
        values = column(how.plan.run(rows), rows.count, DTYPES[how.kind])
        if self._halves and how.kind == "string":
            values = np.array([mended(text) for text in values.tolist()], dtype=object)
        result.add(how.kind, values, rows, at)


@dataclass(slots=True)
class _Result:
    """Values by type, as far as they are computed."""

    rows: int
    columns: dict[Type, Column] = field(default_factory=dict)
    lost: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def lose(self, rows: Rows, at: np.ndarray | None) -> None:
        for reason, lost in rows.lost:
            self.lost.setdefault(reason, []).append(lost if at is None else at[lost])

    def add(self, kind: Kind, values: np.ndarray, rows: Rows, at: np.ndarray | None) -> None:
        self.lose(rows, at)
        has = None if rows.failed is None else ~rows.failed
        if at is None:
            self.columns[kind] = Column(values, has)
            return
        if kind not in self.columns:
            self.columns[kind] = Column(np.zeros(self.rows, dtype=DTYPES[kind]), np.zeros(self.rows, dtype=bool))
        self.columns[kind].values[at] = values
        self.columns[kind].present[at] = True if has is None else has

    def evaluated(self) -> Evaluated:
        columns = {kind: each for kind, each in self.columns.items() if each.present is None or each.present.any()}
        return Evaluated(
            columns={kind: Column(each.values) if _full(each) else each for kind, each in columns.items()},
            lost={reason: np.concatenate(each) for reason, each in self.lost.items()},
        )


def _full(column: Column) -> bool:
    return column.present is not None and bool(column.present.all())
