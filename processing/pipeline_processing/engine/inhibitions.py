"""What the alerts of all tasks of one process hold back, so that each can ask what the others do. Any thread may."""

from __future__ import annotations

import threading

from pipeline_processing.alerts.inhibiting import HeldBack

NOTHING: frozenset[HeldBack] = frozenset()


class Inhibitions:
    def __init__(self) -> None:
        self._of_tasks: dict[str, frozenset[HeldBack]] = {}
        self._lock = threading.Lock()

    def set(self, task_id: str, held: frozenset[HeldBack]) -> None:
        """From now on it holds back these, and no others; of a task that ends, none."""
        with self._lock:
            if held:
                self._of_tasks[task_id] = held
            else:
                self._of_tasks.pop(task_id, None)

    def of_others(self, task_id: str) -> frozenset[HeldBack]:
        with self._lock:
            others = [held for each, held in self._of_tasks.items() if each != task_id]
        return NOTHING.union(*others)
