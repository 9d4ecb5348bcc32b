"""What a source is: a name, a topic, settings, and an endless iterator of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline_queue.clock import Clock
from pipeline_queue.settings import ServiceSettings
from pipeline_queue.topics import Topic

from pipeline_input.pacing import Batch


class SourceSettings(ServiceSettings):
    """What each source's settings have; its own class adds its own."""

    @property
    def events_per_message(self) -> int:
        """One, so that a console consumer and keys work as anyone expects; a fast source says otherwise."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something that makes events of one topic.

    `batches(settings, clock, producer)` paces itself by the clock and yields at least twice a second, an empty batch
    when nothing is due; its events count `seq` from 0 without a gap. It may be left waiting: then it decides what it
    makes up for and what it leaves out, and says so in its file.
    """

    name: str
    title: str
    topic: Topic
    settings: type[SourceSettings]
    batches: Callable[[Any, Clock, str], Iterator[Batch]]
