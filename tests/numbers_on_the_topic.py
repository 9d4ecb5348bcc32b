"""Random numbers that a test puts on the topic by itself, and what the topic then holds."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from pipeline_queue.brokers import open_broker
from pipeline_queue.codec import blocks
from pipeline_queue.events import Event, event_id, event_type
from pipeline_queue.topics import RANDOM_NUMBERS
from running_display import NS, Display


def number(seq: int, value: float, *, producer: str = "test", age_s: float = 0.0) -> Event:
    time_ns = time.time_ns() - round(age_s * NS)
    return event_type(RANDOM_NUMBERS)(
        event_id=event_id(producer, seq), time_ns=time_ns, producer=producer, seq=seq, value=value
    )


def normal(count: int, *, over_s: float, producer: str = "test", first: int = 0) -> list[Event]:
    """So many numbers, evenly dated over the last `over_s` seconds."""
    draw = random.Random(first)
    ages_s = [over_s * (1 - i / count) for i in range(count)]
    return [number(first + i, draw.gauss(5, 2), producer=producer, age_s=ages_s[i]) for i in range(count)]


def publish(display: Display, events: Sequence[Event]) -> None:
    with closing(open_broker(display.queue_url)) as broker:
        broker.publish(RANDOM_NUMBERS.name, blocks(RANDOM_NUMBERS, events))


def raw_events(display: Display) -> list[dict[str, Any]]:
    """Each event that the topic's lines hold, once, by time; read as plain JSON and by no code of the display."""
    with closing(open_broker(display.queue_url)) as broker:
        records = broker.read(RANDOM_NUMBERS.name, broker.begin_offsets(RANDOM_NUMBERS.name))
    events = [json.loads(line) for record in records for line in record.value.splitlines()]
    return sorted({event["event_id"]: event for event in events}.values(), key=lambda event: event["time_ns"])
