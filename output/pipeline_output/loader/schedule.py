"""When to load: every so often, at once when much waits, and with patience when something is away.

In:   the time, and how many events wait.
Out:  whether to load now. From the begin of one load to the next pass `interval_s`, less when `backlog_events` wait, and never
      less than `min_interval_s`; after a failure the waits of BACKOFF_S. A clock that was set back begins the wait anew, one
      that was set ahead ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BACKOFF_S = (1, 2, 5, 10, 30)
NS_PER_S = 1_000_000_000


@dataclass(slots=True, kw_only=True)
class Patience:
    """With what failed: it is tried again ever less often."""

    failures: int = 0
    _since_ns: int = 0

    def failed(self, now_ns: int) -> None:
        self._since_ns, self.failures = now_ns, self.failures + 1

    def may_try(self, now_ns: int) -> bool:
        self._since_ns = min(self._since_ns, now_ns)
        return not self.failures or now_ns >= self.next_at_ns

    @property
    def next_at_ns(self) -> int:
        return self._since_ns + BACKOFF_S[min(self.failures, len(BACKOFF_S)) - 1] * NS_PER_S


@dataclass(slots=True, kw_only=True)
class Schedule:
    """The first load is due at once."""

    interval_s: float
    min_interval_s: float
    backlog_events: int
    _since_ns: int | None = None
    _patience: Patience = field(default_factory=Patience)

    def may_try(self, now_ns: int) -> bool:
        """Whether what was away may be asked again."""
        return self._patience.may_try(now_ns)

    def is_due(self, now_ns: int, waiting_events: int) -> bool:
        if self._patience.failures or self._since_ns is None:
            return self.may_try(now_ns)
        self._since_ns = min(self._since_ns, now_ns)
        waited_s = (now_ns - self._since_ns) / NS_PER_S
        is_time = waited_s >= self.interval_s or waiting_events >= self.backlog_events
        return is_time and waited_s >= self.min_interval_s

    def next_at_ns(self, now_ns: int) -> int:
        """When the next load begins, or the next try, if no backlog calls it earlier."""
        if self._patience.failures:
            return self._patience.next_at_ns
        return now_ns if self._since_ns is None else self._since_ns + round(self.interval_s * NS_PER_S)

    def loaded(self, began_ns: int) -> None:
        self._since_ns, self._patience = began_ns, Patience()

    def failed(self, now_ns: int) -> None:
        self._patience.failed(now_ns)
