"""One lock for each name, as long as somebody wants it: who changes one task waits for nobody who changes another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


class Locks:
    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._wanted: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def held(self, *names: str) -> Iterator[None]:
        """All of them, taken in order of their names, so that nobody waits in a circle."""
        with ExitStack() as stack:
            for name in sorted(set(names)):
                stack.enter_context(self._one(name))
            yield

    @contextmanager
    def _one(self, name: str) -> Iterator[None]:
        with self._guard:
            lock, count = self._wanted.get(name, (threading.Lock(), 0))
            self._wanted[name] = lock, count + 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                _, count = self._wanted[name]
                if count == 1:
                    del self._wanted[name]
                else:
                    self._wanted[name] = lock, count - 1
