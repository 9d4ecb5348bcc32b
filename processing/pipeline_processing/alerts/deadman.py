"""What an alert of silence says, unless its script says otherwise.

From:  the defaults of Kapacitor's section [deadman].
"""

from __future__ import annotations

from pipeline_processing.expressions.formats import duration_text

ID = "node '{node}' in task '{{{{ .TaskName }}}}'"
MESSAGE = (
    '{{{{ .ID }}}} is {{{{ if eq .Level "OK" }}}}alive{{{{ else }}}}dead{{{{ end }}}}: '
    '{{{{ index .Fields "emitted" | printf "%0.3f" }}}} points/{interval}.'
)


def deadman_words(*, interval_ns: int, node: str) -> list[tuple[str, list[str]]]:
    """The properties `id` and `message` for a watch over `node`."""
    return [
        ("id", [ID.format(node=node)]),
        ("message", [MESSAGE.format(interval=duration_text(interval_ns))]),
    ]
