"""docs/operators.md, written from the table of operators: nodes with their properties, handlers of alerts, functions of lambdas.

In:      OPERATORS, HANDLERS and SIGNATURES of the task engine, and what their classes say of themselves.
Out:     a page of Markdown.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any

LABEL = re.compile(r"^(In|State|Out|Refuses|From): +")
INTRODUCTION = """# Nodes, handlers, functions

Written from the table of operators by `python -m pipeline_cli.reference`. How scripts are written is in [tickscript.md](tickscript.md), how alerts reach their handlers in [alerts.md](alerts.md).

A node follows a stream of points or a stream of batches, and gives one of the two. Every node but `stream` and `batch` takes `.quiet()`: why it drops points is counted and not written into the log.
A property that may be repeated adds to what its earlier calls said; any other replaces it.
"""
DEADMAN = """
## deadman

`|deadman(threshold, interval, lambda…)`: a stream or batches → a stream

An alert on silence: CRITICAL where a group had at most `threshold` points (a float) in the interval, and all of the lambdas are true. It is `stats(interval).align()`, `derivative('emitted')` with `unit(interval)` and
`nonNegative()`, and `alert()`; properties and handlers are those of `alert`, and come after `crit`, `id` and `message` that it sets itself:
"""
HANDLED = """
## Handlers of alerts

What a script may name after `alert` or `deadman`. A handler's own properties stand after it. Scripts that name one that is not told are accepted, as Kapacitor's are; each such alert is given up
with its reason, and its other handlers are told. [alerts.md](alerts.md) says what is sent.

| handler | what it does | its properties | told |
|---|---|---|---|"""
COMPUTED = """
## Functions of lambdas

`count`, `sigma` and `spread` have a state, one a group and expression. All others go by the point alone.

| function | of | gives |
|---|---|---|"""


def operators_page() -> str:
    """docs/operators.md"""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    from pipeline_processing.operators import OPERATORS
    from pipeline_processing.operators.alert import Alert

    yield INTRODUCTION.rstrip()
    for operator in (*OPERATORS.values(), Alert):
        yield from _node(operator)
    yield from _deadman()
    yield from _handlers()
    yield from _functions()


def _node(operator: Any) -> Iterator[str]:
    from pipeline_processing.operators.options import options_of

    options = options_of(operator)
    given = options.pop("", None)
    yield f"\n## {operator.KIND}\n"
    yield f"{_call(operator, given)}: {_edges(operator)}\n"
    yield from _said(operator)
    if options:
        defaults = {each.name: each.default for each in dataclasses.fields(operator)}
        yield "\n| property | takes | default | what it is |\n|---|---|---|---|"
        for name, (field, option) in sorted(options.items()):
            repeated = "; may be repeated" if option.gathers else ""
            default = _default(field, defaults[field])
            yield f"| `.{name}(…)` | {_kind_of(option.reader)} | {default} | {_cell(option.doc)}{repeated} |"


def _call(operator: Any, given: Any) -> str:
    if operator.KIND in {"stream", "batch"}:
        return f"`{operator.KIND}`"
    return f"`|{operator.KIND}(…)`, {given[1].doc}" if given else f"`|{operator.KIND}()`"


def _edges(operator: Any) -> str:
    names = {"stream": "a stream", "batch": "batches"}
    taken = " or ".join(names[each] for each in sorted(operator.TAKES, reverse=True))
    return f"{taken} → {names[operator.GIVES] if operator.GIVES else 'the same'}"


def _said(operator: Any) -> Iterator[str]:
    """What its class says; where that is a sentence only, what its base says of in and out too."""
    said = _paragraphs(operator)
    yield from (each for each in said if not LABEL.match(each))
    labelled = [each for each in said if LABEL.match(each)]
    if not labelled:
        labelled = [each for each in _inherited(operator) if not each.startswith("State:")]
    if labelled:
        yield ""
    yield from (LABEL.sub(r"- \1: ", each) for each in labelled)


def _inherited(operator: Any) -> list[str]:
    for base in operator.__mro__[1:-1]:
        if labelled := [each for each in _paragraphs(base) if LABEL.match(each)]:
            return labelled
    return []


def _paragraphs(operator: Any) -> list[str]:
    """Each in one line."""
    found: list[str] = []
    for paragraph in (inspect.getdoc(operator) or "").split("\n\n"):
        fresh = True
        for line in paragraph.splitlines():
            if fresh or LABEL.match(line):
                found.append(line.strip())
            else:
                found[-1] += f" {line.strip()}"
            fresh = False
    return found


def _kind_of(reader: Any) -> str:
    from pipeline_processing.operators import options

    kinds = {
        options.string: "a string",
        options.integer: "an integer",
        options.floating: "a float",
        options.number: "a number",
        options.duration: "a duration",
        options.expression: "a lambda",
        options.strings: "strings",
        options.flag: "",
        options.tag_names: "strings, or `*`",
    }
    return kinds.get(reader, "")


def _default(field: str, value: Any) -> str:
    from pipeline_processing.expressions.formats import duration_text

    if value in ("", None, ()) or isinstance(value, bool):
        return ""
    return f"`{duration_text(value)}`" if field.endswith("_ns") else f"`{_cell(str(value))}`"


def _deadman() -> Iterator[str]:
    from pipeline_processing.alerts.deadman import USUAL

    yield DEADMAN.rstrip()
    yield ""
    for name, (text,) in USUAL.words(interval_ns=10_000_000_000, node="NODE"):
        yield f"    .{name}('{text}')"
    yield "\nwhere `10s` is the interval; `TASKS_DEADMAN_ID` and `TASKS_DEADMAN_MESSAGE` say it otherwise. What a group's silence is measured by begins with its first point: who was never heard is not missed."


def _handlers() -> Iterator[str]:
    from pipeline_output.handlers import HANDLERS as TOLD
    from pipeline_processing.alerts.handler_calls import HANDLERS

    yield HANDLED.rstrip()
    for name, handler in sorted(HANDLERS.items()):
        own = "; ".join(f"`.{each}(…)` {_cell(said.doc)}" for each, said in handler.properties.items())
        yield f"| `.{name}(…)` | {_cell(handler.doc)} | {own} | {'yes' if name in TOLD else 'no'} |"


def _functions() -> Iterator[str]:
    from pipeline_processing.expressions.functions import SIGNATURES

    yield COMPUTED.rstrip()
    for name, signatures in sorted(SIGNATURES.items()):
        arguments = "; ".join(", ".join(kinds) or "nothing" for kinds in signatures)
        yield f"| `{name}` | {arguments} | {'; '.join(dict.fromkeys(signatures.values()))} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
