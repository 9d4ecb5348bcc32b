"""A program as text, laid out as tickfmt does: four spaces before `|` and `@`, eight before `.`, comments above what they are about.

In:   a Program, of `parse` or made by hand.
Out:  text that is read as the same program.
"""

from __future__ import annotations

from pipeline_processing.tickscript.literals import written
from pipeline_processing.tickscript.syntax import (
    Call,
    Comments,
    Dbrp,
    Declaration,
    Expression,
    Identifier,
    Items,
    Lambda,
    Link,
    Operation,
    Pipeline,
    Program,
    Statement,
    TypeDeclaration,
    Unary,
)

STEP = "    "


def printed(program: Program) -> str:
    texts = [_Printer().text(statement) for statement in program.statements]
    if program.trailing:
        texts.append(_comment_lines(program.trailing, ""))
    return "\n".join(f"{text}\n" for text in texts)


def printed_expression(expression: Expression) -> str:
    """One expression, as a task shows a lambda."""
    return _Printer().text(expression)


def _comment_lines(comments: Comments, indent: str) -> str:
    return "\n".join("".join(f"{indent}// {line}".rstrip(" ") + "\n" for line in block) for block in comments)


class _Printer:
    def __init__(self) -> None:
        self._out: list[str] = []

    def text(self, statement: Statement) -> str:
        match statement:
            case Declaration():
                self._begin(statement.comments, "", fresh=True)
                self._out.append(f"var {statement.name} = ")
                self._expression(statement.value, "", fresh=False)
            case TypeDeclaration():
                self._begin(statement.comments, "", fresh=True)
                self._out.append(f"var {statement.name} {statement.type}")
            case Dbrp():
                self._begin(statement.comments, "", fresh=True)
                names = (statement.database, statement.retention_policy)
                self._out.append("dbrp " + ".".join('"' + name.replace('"', '\\"') + '"' for name in names))
            case _:
                self._expression(statement, "", fresh=True)
        return "".join(self._out)

    def _begin(self, comments: Comments, indent: str, *, fresh: bool) -> None:
        """The comments before a node, and its indentation where it begins a line."""
        if comments:
            self._out += ["" if fresh else "\n", _comment_lines(comments, indent)]
        if comments or fresh:
            self._out.append(indent)

    def _expression(self, node: Expression, indent: str, *, fresh: bool) -> None:
        match node:
            case Pipeline():
                self._expression(node.start, indent, fresh=fresh)
                for link in node.links:
                    self._link(link, indent)
                return
            case Operation(parens=False):
                self._operation(node, indent, fresh=fresh)
                return
        self._begin(node.comments, indent, fresh=fresh)
        match node:
            case Operation():
                self._out.append("(")
                self._operation(node, indent + STEP, fresh=False)
                self._out.append(")")
            case Identifier(name=name):
                self._out.append(name)
            case Call():
                self._call(node, indent)
            case Unary():
                self._out.append(node.operator)
                self._expression(node.operand, indent, fresh=False)
            case Lambda():
                self._out.append("lambda: ")
                self._expression(node.body, indent, fresh=False)
            case Items():
                self._items(node, indent)
            case _:
                self._out.append(written(node))

    def _operation(self, node: Operation, indent: str, *, fresh: bool) -> None:
        self._expression(node.first, indent, fresh=fresh)
        for term in node.rest:
            self._out.append(f" {term.operator}" + ("\n" if term.broken else " "))
            self._expression(term.operand, indent, fresh=term.broken)

    def _items(self, node: Items, indent: str) -> None:
        self._out.append("[")
        for number, item in enumerate(node.items):
            self._out.append(", " if number else "")
            self._expression(item, indent, fresh=False)
        self._out.append("]")

    def _link(self, link: Link, indent: str) -> None:
        indent += STEP * 2 if link.operator == "." else STEP
        self._out.append("\n")
        self._begin(link.comments, indent, fresh=True)
        self._out.append(link.operator)
        self._call(link, indent)

    def _call(self, node: Call | Link, indent: str) -> None:
        self._out.append(f"{node.name}(")
        for number, argument in enumerate(node.arguments):
            self._out += ["," if number else "", "\n" if node.broken else " " if number else ""]
            self._expression(argument, indent + STEP, fresh=node.broken)
        self._out.append(f"\n{indent})" if node.broken and node.arguments else ")")
