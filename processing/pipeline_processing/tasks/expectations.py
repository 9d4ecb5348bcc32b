"""What a script should make of its points, in a file that a person reads and writes. docs/tasks-testing.md shows one.

In:      a text: `script:`, and maybe `vars: FILE`, `dbrp:`, `precision:` and `data: FILE`; then sections, each begun by its name and a colon.
Out:     the parts of it.
Refuses: (BadTest) what is no such file; the line is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline_output.state.definitions import Dbrp
from pipeline_queue.points.line_protocol import NS_OF

from pipeline_processing.alerts.levels import LEVELS
from pipeline_processing.tasks.errors import BadTest
from pipeline_processing.tasks.script_facts import dbrp_of

HEAD = re.compile(r"(script|vars|dbrp|precision|data):\s+(\S.*?)\s*")
SECTION = re.compile(r"(data|httpOut|alerts)(?:\s+(\S+))?:\s*")
ALERT = re.compile(rf"(\S+)\s+({'|'.join(LEVELS)})\s+(.*?)(?:\s\|\s(.*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAlert:
    """Message and rows are compared where they are said."""

    time: str
    level: str
    id: str
    message: str | None = None
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    script: str
    """Its path, as seen from the file's folder."""
    vars_file: str = ""
    dbrp: Dbrp | None = None
    precision: str = "s"
    data_file: str = ""
    lines: str = ""
    """The points, in line protocol."""
    outputs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The rows of each httpOut, in order."""
    alerts: Mapping[str, Sequence[ExpectedAlert]] = field(default_factory=dict)
    """Of each node; those of `` are of all nodes together."""


def read_expectations(text: str) -> Expectations:
    """Raises BadTest."""
    heads: dict[str, str] = {}
    lines, outputs, alerts = "", {}, {}
    sections = list(_sections(text))
    for number, line in sections[0][2]:
        head = HEAD.fullmatch(line)
        if not head:
            raise BadTest(
                f"`{line}` is neither `script: FILE` nor a section, such as `data:` or `alerts:`", line=number
            )
        heads[head[1]] = head[2]
    for kind, name, body in sections[1:]:
        if kind == "data":
            lines = _in_place(body)
        elif kind == "httpOut":
            outputs[name] = tuple(line for _, line in body)
        else:
            alerts[name] = tuple(_alerts(body))
    if "script" not in heads:
        raise BadTest("it names no script; write `script: FILE` above the sections")
    if bool(lines) == ("data" in heads):
        raise BadTest("points are either in a section `data:` or in a file that `data: FILE` names")
    if not outputs and not alerts:
        raise BadTest("it expects nothing; write a section `httpOut NAME:` or `alerts:`")
    return Expectations(
        script=heads["script"],
        vars_file=heads.get("vars", ""),
        dbrp=_dbrp(heads["dbrp"]) if "dbrp" in heads else None,
        precision=_precision(heads.get("precision", "s")),
        data_file=heads.get("data", ""),
        lines=lines,
        outputs=outputs,
        alerts=alerts,
    )


def _dbrp(text: str) -> Dbrp:
    try:
        return dbrp_of(text)
    except ValueError as error:
        raise BadTest(str(error)) from None


def _precision(text: str) -> str:
    if text not in NS_OF:
        raise BadTest(f"`{text}` is no unit of times; there are {', '.join(NS_OF)}")
    return text


Body = list[tuple[int, str]]


def _sections(text: str) -> Iterator[tuple[str, str, Body]]:
    """Kind, name and lines of each, comments and empty lines left out; the first is what stands above all."""
    kind, name, body = "", "", []
    for number, line in enumerate(text.splitlines(), 1):
        section = SECTION.fullmatch(line)
        if section and (section[1] == "httpOut") <= bool(section[2]) and not (section[1] == "data" and section[2]):
            yield kind, name, body
            kind, name, body = section[1], section[2] or "", []
        elif line.strip() and not line.lstrip().startswith("#"):
            body.append((number, line.rstrip()))
    yield kind, name, body


def _in_place(body: Body) -> str:
    """With empty lines between, so that a refusal names the line of the file."""
    lines = dict(body)
    return "\n".join(lines.get(number, "") for number in range(1, max(lines, default=0) + 1))


def _alerts(body: Body) -> Iterator[ExpectedAlert]:
    told: ExpectedAlert | None = None
    rows: list[str] = []
    for number, line in [*body, (0, "")]:
        if line[:1].isspace():
            if told is None:
                raise BadTest("a row stands below an alert", line=number)
            rows.append(line.strip())
            continue
        if told:
            yield _with_rows(told, rows)
        if line:
            found = ALERT.fullmatch(line)
            if not found:
                raise BadTest(
                    f"`{line}` is no alert: `TIME {'|'.join(LEVELS)} ID | MESSAGE`, the message if wanted", line=number
                )
            told, rows = ExpectedAlert(time=found[1], level=found[2], id=found[3].strip(), message=found[4]), []


def _with_rows(told: ExpectedAlert, rows: Sequence[str]) -> ExpectedAlert:
    return ExpectedAlert(time=told.time, level=told.level, id=told.id, message=told.message, rows=tuple(rows))
