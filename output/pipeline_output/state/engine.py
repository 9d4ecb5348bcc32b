"""What the state store asks of a database: transactions of statements with `?` for each parameter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]


class KeyTaken(Exception):
    """A row with this key is there already; nothing of the transaction is kept."""


class Transaction(Protocol):
    def __call__(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run one statement; its rows, where it has some. Raises KeyTaken."""


class Engine(Protocol):
    """Transactions follow each other, whichever threads ask for them."""

    url: str
    """Without a password, for messages."""

    def prepare(self, statements: Iterable[str]) -> None:
        """Run them, while nobody else does it."""

    def transaction(self, doing: str) -> AbstractContextManager[Transaction]:
        """Commit at the end of the block, keep nothing if it raises. Raises StoreUnavailable, which says what was done."""

    def close(self) -> None:
        """Let go of connections and files."""
