"""Whether a script does what its test file expects, and in which lines it does not.

In:      a test file, its script's text, and points.
Out:     a difference for each section that does not hold: lines with `-` are expected and missing, those with `+` came instead.
Refuses: what rehearsal.py refuses; (UnknownEndpoint), (NoAlertNode) what the script has not.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline_queue.points.block import PointBlock

from pipeline_processing.alerts.levels import LEVELS
from pipeline_processing.engine.left import Told
from pipeline_processing.engine.task_master import TaskMaster
from pipeline_processing.tasks.errors import NoAlertNode
from pipeline_processing.tasks.expectations import Expectations, ExpectedAlert
from pipeline_processing.tasks.rehearsal import rehearsed
from pipeline_processing.tasks.row_text import as_written_here, lines_of, time_text
from pipeline_processing.tasks.task_master import TaskDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    section: str
    lines: Sequence[str]


def differences(wanted: Expectations, definition: TaskDefinition, blocks: Iterable[PointBlock]) -> list[Difference]:
    master = rehearsed(definition, blocks)
    found = []
    for section, expected, actual in _compared(wanted, master, definition.id):
        if expected != actual:
            found.append(Difference(section=section, lines=_differing(expected, actual)))
    return found


def _compared(wanted: Expectations, master: TaskMaster, task_id: str) -> Iterator[tuple[str, list[str], list[str]]]:
    for endpoint, rows in wanted.outputs.items():
        actual = list(lines_of(master.series(task_id, endpoint), wanted.precision))
        yield f"httpOut {endpoint}", as_written_here(rows, wanted.precision), actual
    told = master.alerts(task_id)
    for node, expected in wanted.alerts.items():
        if node and node not in master.stats(task_id)["node-stats"]:
            raise NoAlertNode(node, known=master.stats(task_id)["node-stats"])
        of_node = [each for each in told if node in ("", each.node)]
        yield (
            f"alerts {node}".rstrip(),
            [line for each in expected for line in _expected(each, wanted.precision)],
            list(_told(of_node, expected, wanted.precision)),
        )


def _expected(alert: ExpectedAlert, precision: str) -> Iterator[str]:
    message = "" if alert.message is None else f" | {alert.message}"
    yield f"{alert.time} {alert.level} {alert.id}{message}"
    for row in as_written_here(alert.rows, precision):
        yield f"    {row}"


def _told(told: Sequence[Told], expected: Sequence[ExpectedAlert], precision: str) -> Iterator[str]:
    """As much of each as is expected of the one in its place; those that nobody expects are told whole."""
    for at, each in enumerate(told):
        like = expected[at] if at < len(expected) else None
        event = each.event
        one_line = event.message.replace("\n", "\\n")
        message = f" | {one_line}" if like is None or like.message is not None else ""
        yield f"{time_text(event.time_ns, precision)} {LEVELS[event.level]} {event.id}{message}"
        if like is None or like.rows:
            for row in lines_of(event.data["series"], precision):
                yield f"    {row}"


def _differing(expected: Sequence[str], actual: Sequence[str]) -> list[str]:
    return [line for line in difflib.ndiff(expected, actual) if not line.startswith("?")]
