"""Real servers for the laws: one Kafka and one Cassandra container and one PostgreSQL a session, started when the first law asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from pipeline_queue.topics import Topic
from postgres_cluster import Cluster, running_postgres
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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql", "parquet"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database for events."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres").new_database()
    return f"parquet://{tmp_path}/events" if request.param == "parquet" else f"sqlite://{tmp_path}/events.db"
