"""Windows as a job declares them: which events, how long, in which groups, and which figures of which numbers.

In:   a topic, a table, and Measures; each measure is a number of an event, its figures are columns of the table.
Out:  what the rest derives from it: which windows cover a time, and what a partial result must keep.
Refuses: a length that the step does not divide, a figure that the table has no column for.
An event's *pane* is the step that its time falls into. Windows begin with a pane, so a pane lies whole in each window
that it lies in, and an event is summed up once however many windows overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline_output.tables import NS_PER_S, Table
from pipeline_queue.topics import Topic

FRACTIONS = {"p50": 0.50, "p90": 0.90, "p99": 0.99}
_KEPT: Mapping[str, tuple[str, ...]] = {
    "mean": ("sum",),
    "standard_deviation": ("sum", "squares"),
    "sum": ("sum",),
    "min": ("min",),
    "max": ("max",),
    **dict.fromkeys(FRACTIONS, ("sketch", "min", "max")),
}
"""What a figure is computed from."""
_SUMMARY = ("sum", "squares", "min", "max", "sketch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number of each event, the sum of its columns `of`, and the figures that a window tells of it."""

    of: tuple[str, ...]
    figures: tuple[str, ...]
    name: str = ""

    @property
    def kept(self) -> tuple[str, ...]:
        """The parts of a Summary that its figures need."""
        needed = {part for figure in self.figures for part in _KEPT[figure]}
        return tuple(part for part in _SUMMARY if part in needed)

    def column(self, figure: str) -> str:
        return f"{self.name}_{figure}" if self.name else figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Windows of `length_s` that begin every `step_s`; `group` is a column of the topic and of the table."""

    topic: Topic
    table: Table
    measures: tuple[Measure, ...]
    length_s: int = 1
    step_s: int = 1
    group: str = ""

    def __post_init__(self) -> None:
        if self.length_s % self.step_s:
            raise ValueError(f"windows of {self.length_s} s cannot begin every {self.step_s} s")
        if unknown := [name for name in self.figures if name not in self.table.names]:
            raise ValueError(f"table `{self.table.name}` has no columns {', '.join(unknown)}")

    @property
    def figures(self) -> tuple[str, ...]:
        """The table's columns that are figures."""
        return tuple(measure.column(figure) for measure in self.measures for figure in measure.figures)

    @property
    def length_ns(self) -> int:
        return self.length_s * NS_PER_S

    @property
    def step_ns(self) -> int:
        return self.step_s * NS_PER_S

    @property
    def overlap(self) -> bool:
        return self.step_s < self.length_s

    def starts(self, pane_ns: int) -> range:
        """The starts of the windows that hold the pane which begins at `pane_ns`, newest first."""
        return range(pane_ns, pane_ns - self.length_ns, -self.step_ns)

    def is_tumbling(self, start_ns: int) -> bool:
        """Whether it is one of those windows that, taken alone, hold each event once."""
        return start_ns % self.length_ns == 0
