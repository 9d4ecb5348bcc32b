"""All topics: those of the demos and of the pipeline itself, and one for each event type that is installed.

Out:     `topics()`, by name; `topic(name)`, which raises UnknownTopic.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pipeline_queue.errors import UnknownTopic
from pipeline_queue.service_events import event_types
from pipeline_queue.topics import TOPICS, Topic


@cache
def topics() -> Mapping[str, Topic]:
    """Raises BadEventType."""
    of_events = [each.topic() for each in event_types().values()]
    return {**TOPICS, **{each.name: each for each in of_events}}


def topic(name: str) -> Topic:
    """The declaration of `name`; raises UnknownTopic, which names the nearest one."""
    try:
        return topics()[name]
    except KeyError:
        raise UnknownTopic(name, known=topics()) from None
