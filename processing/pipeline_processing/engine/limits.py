"""What a task may hold, and how long it remembers a silent group.

In:      sizes and times, as the service is told them.
Refuses: (StateTooLarge) a state that would be larger in a snapshot than it may be: its task stops, and its last snapshot stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline_processing.errors import ProcessingError


class StateTooLarge(ProcessingError):
    def __init__(self, size_bytes: int, *, allowed_bytes: int, groups: int) -> None:
        super().__init__(
            f"its state of {groups:,} groups has {size_bytes:,} bytes in a snapshot, and TASKS_STATE_BYTES_MAX allows "
            f"{allowed_bytes:,}; allow more, or let the script hold less"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None is no limit, or for ever."""

    forget_after_s: float | None = None
    groups_max: int | None = None
    state_bytes_max: int | None = None

    def check(self, size_bytes: int, *, groups: int) -> None:
        """Raises StateTooLarge."""
        if self.state_bytes_max is not None and size_bytes > self.state_bytes_max:
            raise StateTooLarge(size_bytes, allowed_bytes=self.state_bytes_max, groups=groups)
