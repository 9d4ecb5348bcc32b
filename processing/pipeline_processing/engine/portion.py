"""One record of the queue as points, parsed once and shared by all tasks that read it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline_processing.points.reading import SharedBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    topic: str
    partition: int
    offset: int
    block: SharedBlock

    def __len__(self) -> int:
        return len(self.block)

    @property
    def dbrp(self) -> tuple[str, str]:
        return self.block.database, self.block.retention_policy

    @property
    def place(self) -> tuple[str, int]:
        return self.topic, self.partition
