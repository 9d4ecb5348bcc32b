"""What pages hand in, until the feeds take it: events to send, wishes about tasks, and what is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline_display.feeds.looks import Look, Looks
from pipeline_display.feeds.sent import Outbox
from pipeline_display.feeds.task_wishes import TaskWishes


@dataclass(frozen=True, slots=True)
class HandedIn:
    outbox: Outbox = field(default_factory=Outbox)
    wishes: TaskWishes = field(default_factory=TaskWishes)
    list_looks: Looks = field(default_factory=Looks)
    task_looks: Looks = field(default_factory=Looks)

    def note(self, look: Look) -> bool:
        """False where more is looked at than can be asked for."""
        return (self.task_looks if look.task else self.list_looks).note(look)
