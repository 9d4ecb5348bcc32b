"""Real servers for laws and benchmarks: a Kafka and a Cassandra container of the stack's own images.

Out:   `running_kafka()` and `running_cassandra()`, context managers that give a URL on the loopback interface.
Skips: with the reason, when no engine answers or the pinned image is not there.
Both are reachable on the loopback interface alone, and their data goes with them.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import docker
import pytest
from docker.errors import DockerException, ImageNotFound
from running_demo import free_port
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

KAFKA_IMAGE = "apache/kafka:4.1.2"
CASSANDRA_IMAGE = "cassandra:5.0.6"


@contextmanager
def running_kafka() -> Iterator[str]:
    """Such as `kafka://127.0.0.1:40123`; make topics with names of your own."""
    port = free_port()
    with running(KAFKA_IMAGE, kafka_environment(port), {f"{port}/tcp": port}):
        wait_until_answering(port, KAFKA_QUESTION)
        yield f"kafka://127.0.0.1:{port}"


@contextmanager
def running_cassandra() -> Iterator[str]:
    """Such as `cassandra://127.0.0.1:40124`; append `/KEYSPACE`, a name of your own; no password."""
    port = free_port()
    with running(CASSANDRA_IMAGE, CASSANDRA_ENVIRONMENT, {"9042/tcp": port}):
        wait_until_answering(port, CASSANDRA_QUESTION)
        yield f"cassandra://127.0.0.1:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The smallest request of a protocol, and how many bytes of the answer are enough to believe it."""

    request: bytes
    answer_size: int


KAFKA_QUESTION = Question(request=b"\0\0\0\x0a\0\x12\0\0\0\0\0\1\xff\xff", answer_size=8)  # ApiVersions, version 0
CASSANDRA_QUESTION = Question(request=b"\x04\0\0\0\x05\0\0\0\0", answer_size=9)  # OPTIONS, protocol 4

CASSANDRA_ENVIRONMENT = {
    "MAX_HEAP_SIZE": "640M",
    "HEAP_NEWSIZE": "128M",
    "CASSANDRA_BROADCAST_RPC_ADDRESS": "127.0.0.1",
    # One node has nobody to gossip with; without this it waits for it before it opens its port (15 s, as measured).
    "JVM_EXTRA_OPTS": "-Dcassandra.skip_wait_for_gossip_to_settle=0",
}


def kafka_environment(port: int) -> dict[str, str]:
    """One node, broker and controller, that tells clients to come to `port` on the loopback interface."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"HOST://0.0.0.0:{port},CONTROLLER://127.0.0.1:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"HOST://127.0.0.1:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "HOST",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@127.0.0.1:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_HEAP_OPTS": "-Xms384m -Xmx384m",
    }


@contextmanager
def running(image: str, environment: dict[str, str], ports: dict[str, int]) -> Iterator[None]:
    """A container of `image` while the block runs; the test that asked is skipped where there can be none."""
    skip_without(image)
    testcontainers_config.ryuk_disabled = True  # its own clean-up container is one more image that may not be there
    container = DockerContainer(image).with_envs(**environment)
    # `with_bind_ports` would publish on every interface of the machine.
    container.ports = {inside: ("127.0.0.1", port) for inside, port in ports.items()}  # type: ignore[misc]
    with container:
        yield


def skip_without(image: str) -> None:
    try:
        with closing(docker.from_env()) as engine:
            engine.images.get(image)
    except ImageNotFound:
        pytest.skip(f"the image `{image}` is not here: pull it, or run scripts/offline_images/build.sh")
    except DockerException as cause:
        pytest.skip(f"no Docker engine answers ({cause}): run scripts/install_engine.sh")


def wait_until_answering(port: int, question: Question, *, within_s: float = 240.0) -> None:
    deadline = time.monotonic() + within_s
    while not answers(port, question):
        if time.monotonic() > deadline:
            pytest.fail(f"nothing answered on 127.0.0.1:{port} within {within_s:.0f} s")
        time.sleep(0.1)


def answers(port: int, question: Question) -> bool:
    try:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=2.0)) as connection:
            connection.sendall(question.request)
            return len(connection.recv(question.answer_size, socket.MSG_WAITALL)) == question.answer_size
    except OSError:
        return False
