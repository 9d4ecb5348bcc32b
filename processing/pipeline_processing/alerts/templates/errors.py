"""What can be wrong with a template.

ProcessingError
├── BadTemplate      it cannot be read: refused where the task is defined
└── TemplateFailed   it cannot be carried out for an event: the task ends, as Kapacitor's does
"""

from __future__ import annotations

from pipeline_processing.errors import ProcessingError


class BadTemplate(ProcessingError, ValueError):
    """`name` says which template, `line` (from 1) where in it."""

    def __init__(self, reason: str, *, name: str, line: int) -> None:
        super().__init__(f"template: {name}:{line}: {reason}")
        self.reason, self.name, self.line = reason, name, line


class TemplateFailed(ProcessingError):
    def __init__(self, reason: str, *, name: str, line: int) -> None:
        super().__init__(f"template: {name}:{line}: {reason}")
        self.reason, self.name, self.line = reason, name, line
