"""When to load: every so often, at once when much waits, and with patience when something is away.

In:   the time, and how many events wait.
Out:  whether to load now. From the begin of one load to the next pass `interval_s`, less when `backlog_events` wait, and never
      less than `min_interval_s`; after a failure the waits of BACKOFF_S. A clock that was set back begins the wait anew, one
      that was set ahead ends it.
"""

from __future__ import annotations

from dataclasses import dataclass

BACKOFF_S = (1, 2, 5, 10, 30)
NS_PER_S = 1_000_000_000


@dataclass(slots=True, kw_only=True)
class Schedule:
    """The first load is due at once."""

    interval_s: float
    min_interval_s: float
    backlog_events: int
    _since_ns: int | None = None
    _failures: int = 0

    def may_try(self, now_ns: int) -> bool:
        """Whether what was away may be asked again."""
        return not self._failures or self._waited_s(now_ns) >= BACKOFF_S[min(self._failures, len(BACKOFF_S)) - 1]

    def is_due(self, now_ns: int, waiting_events: int) -> bool:
        if self._failures or self._since_ns is None:
            return self.may_try(now_ns)
        waited_s = self._waited_s(now_ns)
        is_time = waited_s >= self.interval_s or waiting_events >= self.backlog_events
        return is_time and waited_s >= self.min_interval_s

    def loaded(self, began_ns: int) -> None:
        self._since_ns, self._failures = began_ns, 0

    def failed(self, now_ns: int) -> None:
        self._since_ns, self._failures = now_ns, self._failures + 1

    def _waited_s(self, now_ns: int) -> float:
        self._since_ns = now_ns if self._since_ns is None else min(self._since_ns, now_ns)
        return (now_ns - self._since_ns) / NS_PER_S
