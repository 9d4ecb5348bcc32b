"""Real servers for the laws: one Kafka and one Cassandra container a session, started when the first law asks."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_hex

import pytest
from pipeline_queue.topics import Topic
from real_servers import running_cassandra, running_kafka


@pytest.fixture(scope="session")
def kafka_url() -> Iterator[str]:
    with running_kafka() as url:
        yield url


@pytest.fixture(scope="session")
def cassandra_url() -> Iterator[str]:
    with running_cassandra() as url:
        yield url


@pytest.fixture
def topic() -> Topic:
    """For laws of brokers: raw, three partitions, a name that nobody else has."""
    return Topic(name=f"law-{token_hex(6)}", doc="a law's own", own_columns=(), key="", partitions=3, raw=True)
