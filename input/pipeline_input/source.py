"""What is published: a source makes events without end, a dataset has a certain number of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_queue.clock import Clock
from pipeline_queue.events import Event, event_id, event_type
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

    @property
    def topics(self) -> tuple[Topic, ...]:
        return (self.topic,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows of a dataset for one topic; `seq` is a row's number.

    `producer` names the content: other rows are of another producer. So an event's id is always the same, and the topic
    itself says which of them it holds.
    """

    topic: Topic
    producer: str
    rows: Sequence[Mapping[str, Any]]

    def events(self, seqs: range, time_ns: int) -> list[Event]:
        """The rows of those numbers as events of that time."""
        make = event_type(self.topic)
        return [
            make(
                event_id=event_id(self.producer, seq),
                time_ns=time_ns,
                producer=self.producer,
                seq=seq,
                **self.rows[seq],
            )
            for seq in seqs
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Something that is published once and is then there; `parts()` reads its files."""

    name: str
    title: str
    topics: tuple[Topic, ...]
    settings: type[SourceSettings]
    parts: Callable[[], Sequence[Part]]
