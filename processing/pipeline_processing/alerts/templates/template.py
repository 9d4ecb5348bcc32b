"""Templates: read once, carried out for each event.

In:      a template's text; then the value that `.` is.
Out:     text.
Refuses: wrong syntax when it is read (BadTemplate); what cannot be computed when it is carried out (TemplateFailed).
From:    the documentation of Go's text/template and html/template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline_processing.alerts.templates.errors import TemplateFailed
from pipeline_processing.alerts.templates.escaping import escaped, in_context
from pipeline_processing.alerts.templates.functions import FUNCTIONS, WITH_JSON
from pipeline_processing.alerts.templates.parser import tree
from pipeline_processing.alerts.templates.syntax import (
    Branch,
    Chain,
    Constant,
    Dot,
    Node,
    Operand,
    Output,
    Pipeline,
    Text,
    Variable,
    Word,
)
from pipeline_processing.alerts.templates.values import METHODS, NO_VALUE, Int, Struct, printed, truth, type_name

NOTHING: Any = object()
"""No value comes from the pipeline so far."""


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    nodes: tuple[Node, ...]
    functions: Mapping[str, Callable[..., Any]]

    def render(self, data: Any) -> str:
        run = _Run(name=self.name, functions=self.functions, variables=[("$", data)])
        run.walk(self.nodes, data)
        return "".join(run.written)


def parsed(template: str, *, name: str) -> Template:
    """One of plain text; `name` is said in errors."""
    return Template(name, tree(template, name=name, functions=FUNCTIONS), FUNCTIONS)


def parsed_json(template: str, *, name: str) -> Template:
    """One of plain text, in which there is `json`."""
    return Template(name, tree(template, name=name, functions=WITH_JSON), WITH_JSON)


def parsed_html(template: str, *, name: str) -> Template:
    """One of HTML: values are escaped where they stand, and there is `json`."""
    return Template(name, in_context(tree(template, name=name, functions=WITH_JSON)), WITH_JSON)


@dataclass(slots=True)
class _Run:
    name: str
    functions: Mapping[str, Callable[..., Any]]
    variables: list[tuple[str, Any]]
    written: list[str] = field(default_factory=list)
    line: int = 1

    def error(self, reason: str) -> TemplateFailed:
        return TemplateFailed(reason, name=self.name, line=self.line)

    def walk(self, nodes: Sequence[Node], dot: Any) -> None:
        for node in nodes:
            if isinstance(node, Text):
                self.written.append(node.text)
            elif isinstance(node, Output):
                self._output(node, dot)
            else:
                seen = len(self.variables)
                self._branch(node, dot)
                del self.variables[seen:]

    def _output(self, node: Output, dot: Any) -> None:
        value = self.value(node.pipeline, dot)
        if node.pipeline.names:
            return
        if node.context:
            self.written.append(escaped(value, node.context))
        else:
            self.written.append(NO_VALUE if value is None else printed(value))

    def _branch(self, node: Branch, dot: Any) -> None:
        if node.word == "range":
            self._range(node, dot)
            return
        value = self.value(node.pipeline, dot)
        if truth(value):
            self.walk(node.body, value if node.word == "with" else dot)
        else:
            self.walk(node.otherwise, dot)

    def _range(self, node: Branch, dot: Any) -> None:
        items = self._items(self.value(node.pipeline, dot))
        if not items:
            self.walk(node.otherwise, dot)
        names = node.pipeline.names
        for pair in items:
            seen = len(self.variables)
            for name, value in zip(names, pair[-len(names) :] if names else (), strict=True):
                self._give(name, value, fresh=node.pipeline.fresh)
            self.walk(node.body, pair[1])
            del self.variables[seen:]

    def _items(self, value: Any) -> list[tuple[Any, Any]]:
        if value is None:
            return []
        if isinstance(value, Mapping):
            return [(key, value[key]) for key in sorted(value)]
        if isinstance(value, (list, tuple)):
            return [(Int(at), each) for at, each in enumerate(value)]
        raise self.error(f"range can't iterate over {printed(value)}")

    def value(self, pipeline: Pipeline, dot: Any) -> Any:
        self.line = pipeline.line
        value = NOTHING
        for command in pipeline.commands:
            value = self._command(command, dot, value)
        if len(pipeline.names) == 1:
            self._give(pipeline.names[0], value, fresh=pipeline.fresh)
        return value

    def _give(self, name: str, value: Any, *, fresh: bool) -> None:
        if fresh:
            self.variables.append((name, value))
            return
        at = max(at for at, (each, _) in enumerate(self.variables) if each == name)
        self.variables[at] = (name, value)

    def _command(self, command: Sequence[Operand], dot: Any, piped: Any) -> Any:
        first, given = command[0], command[1:]
        last = () if piped is NOTHING else (piped,)
        if isinstance(first, Word):
            return self._call(first.name, [self._operand(each, dot) for each in given] + list(last))
        if isinstance(first, Chain):
            return self._chain(first, dot, [self._operand(each, dot) for each in given] + list(last))
        if given or last:
            raise self.error(f"can't give argument to non-function {_written(first)}")
        return self._operand(first, dot)

    def _operand(self, operand: Operand, dot: Any) -> Any:
        if isinstance(operand, Dot):
            return dot
        if isinstance(operand, Constant):
            return operand.value
        if isinstance(operand, Variable):
            return next(value for name, value in reversed(self.variables) if name == operand.name)
        if isinstance(operand, Word):
            return self._call(operand.name, [])
        if isinstance(operand, Chain):
            return self._chain(operand, dot, [])
        return self.value(operand, dot)

    def _call(self, name: str, arguments: list[Any]) -> Any:
        try:
            return self.functions[name](*arguments)
        except TypeError as cause:
            raise self.error(f"wrong number of args for {name}: got {len(arguments)}") from cause
        except ValueError as cause:
            raise self.error(f"error calling {name}: {cause}") from cause

    def _chain(self, chain: Chain, dot: Any, arguments: list[Any]) -> Any:
        value = self._operand(chain.of, dot)
        for name in chain.names[:-1]:
            value = self._field(value, name, [])
        return self._field(value, chain.names[-1], arguments)

    def _field(self, value: Any, name: str, arguments: list[Any]) -> Any:
        method = METHODS.get(type(value), {}).get(name)
        if method is not None:
            return self._method(method, value, name, arguments)
        if isinstance(value, Struct) and name in value.fields:
            found = value.fields[name]
        elif isinstance(value, Mapping):
            found = value.get(name)
        elif value is None:
            raise self.error(f"nil data; no entry for key {name!r}")
        else:
            raise self.error(f"can't evaluate field {name} in type {type_name(value)}")
        if arguments:
            raise self.error(f"{name} has arguments but cannot be invoked as function")
        return found

    def _method(self, method: Callable[..., Any], value: Any, name: str, arguments: list[Any]) -> Any:
        try:
            return method(value, *arguments)
        except (TypeError, AttributeError) as cause:
            raise self.error(f"wrong arguments for {name}") from cause


def _written(operand: Operand) -> str:
    if isinstance(operand, Dot):
        return "."
    if isinstance(operand, Variable):
        return operand.name
    return printed(operand.value) if isinstance(operand, Constant) else "nil"
