"""Where the points of a database and retention policy are in the queue.

In:      the two names, and how many partitions a topic has.
Out:     their partition of the topic `points`; besides, where they are `pipeline` and the NAME of a topic with declared columns, all
         partitions of the topic NAME.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline_queue.brokers.protocol import partition_of
from pipeline_queue.catalog import topics
from pipeline_queue.points.block import Origin, key_of
from pipeline_queue.topics import POINTS

from pipeline_processing.engine.source import Place
from pipeline_processing.points.reading import DATABASE


def places_of(database: str, retention_policy: str, partitions: Callable[[str], int]) -> Iterator[Place]:
    key = key_of(Origin(database, retention_policy))
    yield POINTS.name, partition_of(key, partitions(POINTS.name))
    if database == DATABASE and _has_columns(retention_policy):
        yield from ((retention_policy, partition) for partition in range(partitions(retention_policy)))


def _has_columns(topic: str) -> bool:
    known = topics().get(topic)
    return known is not None and known.encoding == "ndjson"
