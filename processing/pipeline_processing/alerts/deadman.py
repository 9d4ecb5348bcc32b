"""What an alert of silence says, unless its script says otherwise, and whether every task is watched.

From:  Kapacitor's section [deadman], with its defaults.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline_processing.expressions.formats import duration_text

NODE, INTERVAL = "NODE_NAME", "INTERVAL"
ID = "node 'NODE_NAME' in task '{{ .TaskName }}'"
MESSAGE = (
    '{{ .ID }} is {{ if eq .Level "OK" }}alive{{ else }}dead{{ end }}: '
    '{{ index .Fields "emitted" | printf "%0.3f" }} points/INTERVAL.'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many points or fewer in so long."""

    threshold: float
    interval_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadman:
    """Of one server. In its texts NODE_NAME and INTERVAL stand for the node that is watched, and for how long."""

    id: str = ID
    message: str = MESSAGE
    everywhere: Rate | None = None
    """At which rate of points a task is dead, whatever its script says; None watches none but those that ask for it."""

    def words(self, *, interval_ns: int, node: str) -> list[tuple[str, list[str]]]:
        """The properties `id` and `message` for a watch over `node`."""
        return [
            ("id", [self.id.replace(NODE, node, 1)]),
            ("message", [self.message.replace(INTERVAL, duration_text(interval_ns), 1)]),
        ]

    @property
    def statement(self) -> str:
        """The watch over a task as a line of its script; empty where there is none."""
        if self.everywhere is None:
            return ""
        return f"stream|deadman({self.everywhere.threshold:f}, {duration_text(self.everywhere.interval_ns)})"


USUAL = Deadman()
