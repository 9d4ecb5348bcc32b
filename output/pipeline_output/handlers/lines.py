"""Who is told next: a line for each target, so that one which is slow or gone holds up nobody else.

In:      what waits, in the order in which it was recorded; an attempt says that it is done, or after how many seconds to try again.
Out:     attempts, in threads: one at a time for each target, of the oldest that is due; alerts of one id never overtake each other, while
         one that waits for its next attempt lets those of other ids pass.
At most `workers` targets are told at the same time; a target that only waits for a time holds no thread.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from pipeline_output.handlers.pending import Waiting

Attempt: TypeAlias = Callable[[int], float | None]
"""Of a delivery by its id: None when it is over, else the seconds until the next one."""
Key: TypeAlias = tuple[str, str]
"""A target and an alert's id."""


class Lines:
    """Starts at once; `close` ends it when the attempts that are under way have ended."""

    def __init__(self, attempt: Attempt, *, workers: int) -> None:
        self._attempt = attempt
        self._changed = threading.Condition()
        self._chains: dict[Key, deque[int]] = {}
        self._due: dict[str, list[tuple[int, Key]]] = {}
        self._later: list[tuple[float, int, Key]] = []
        self._busy: set[str] = set()
        self._is_closed = False
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="alerts")
        self._timer = threading.Thread(target=self._wake, daemon=True, name="alerts-timer")
        self._timer.start()

    def add(self, waiting: Iterable[Waiting]) -> None:
        with self._changed:
            for each in waiting:
                key = (each.target, each.alert_id)
                chain = self._chains.setdefault(key, deque())
                chain.append(each.delivery_id)
                if len(chain) == 1:
                    self._is_due(key)

    @property
    def waits(self) -> bool:
        """Whether anything is not over yet."""
        with self._changed:
            return bool(self._chains)

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._timer.join()
        self._workers.shutdown(cancel_futures=True)

    def _is_due(self, key: Key) -> None:
        """The oldest of the key's may be tried as soon as its target is free."""
        heapq.heappush(self._due.setdefault(key[0], []), (self._chains[key][0], key))
        self._start(key[0])

    def _start(self, target: str) -> None:
        due = self._due.get(target)
        if self._is_closed or target in self._busy:
            return
        if not due:
            self._due.pop(target, None)
            return
        delivery_id, key = heapq.heappop(due)
        self._busy.add(target)
        self._workers.submit(self._run, delivery_id, key)

    def _run(self, delivery_id: int, key: Key) -> None:
        again_after_s = self._attempt(delivery_id)
        with self._changed:
            self._busy.discard(key[0])
            if again_after_s is not None:
                heapq.heappush(self._later, (time.monotonic() + again_after_s, delivery_id, key))
                self._changed.notify_all()
            else:
                self._go_on(key)
            self._start(key[0])

    def _go_on(self, key: Key) -> None:
        chain = self._chains[key]
        chain.popleft()
        if chain:
            heapq.heappush(self._due.setdefault(key[0], []), (chain[0], key))
        else:
            del self._chains[key]

    def _wake(self) -> None:
        with self._changed:
            while not self._is_closed:
                now = time.monotonic()
                while self._later and self._later[0][0] <= now:
                    self._is_due(heapq.heappop(self._later)[2])
                self._changed.wait(self._later[0][0] - now if self._later else None)
