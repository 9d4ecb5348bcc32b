"""Which tasks this server is to run, and in which term.

In:      tasks by id.
Out:     whether they are this server's, and the term in which it holds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from pipeline_queue.brokers import Term


class Holding(Protocol):
    def is_for_me(self, task_id: str) -> bool:
        """Whether it is this server that should run it, as far as it knows."""

    def take(self, task_ids: Iterable[str]) -> None:
        """Hold those of them that nobody else holds."""

    def holds(self, task_id: str) -> bool: ...

    def held(self) -> set[str]:
        """Tasks that it is known to hold."""

    def term(self, task_id: str) -> Term | None:
        """Of one that is held; None where there is nobody else who might hold it."""

    def release(self, task_id: str) -> None:
        """Let others hold it; no harm if it is not held."""

    def name(self, task_id: str) -> str:
        """Under which it keeps what it remembers; all names of one store begin with that of ''."""


class Alone:
    """There are no other servers: all is held, always."""

    def is_for_me(self, task_id: str) -> bool:
        return True

    def take(self, task_ids: Iterable[str]) -> None:
        pass

    def holds(self, task_id: str) -> bool:
        return True

    def held(self) -> set[str]:
        return set()

    def term(self, task_id: str) -> None:
        return None

    def release(self, task_id: str) -> None:
        pass

    def name(self, task_id: str) -> str:
        return task_id
