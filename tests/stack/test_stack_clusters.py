"""The overlays: three Kafka brokers, three Cassandra nodes; one is killed and stays dead, and data goes on.

Each takes a stack of its own, so this belongs to the soak: it runs where PIPELINE_SOAK is set.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from running_stack import Stack, running_stack
from stack_reading import accounts, windows
from waiting import until

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif("PIPELINE_SOAK" not in os.environ, reason="two more stacks; set PIPELINE_SOAK"),
]

NS = 1_000_000_000
DISK = "disk:///data/disk"
CASSANDRA = "cassandra://cassandra:9042,cassandra-2:9042,cassandra-3:9042/pipeline?replication=3"
ONE_SHOTS = {"topics", "tables", "input-census"}
WINDOWS_WITHIN_S = 420
GOES_ON_S = 30
GOES_ON_WITHIN_S = 360
"""A client gives a dead server up after 10 s, and a driver that lost its query pauses for seconds."""
BACK_WITHIN_S = 360
CAUGHT_UP_WITHIN_S = 360

COPIES_OF_TOPICS = """
from kafka.admin import KafkaAdminClient
topics = KafkaAdminClient(bootstrap_servers="kafka:9092").describe_topics()
print(*{len(partition["replica_nodes"]) for topic in topics for partition in topic["partitions"]})
"""
COPIES_OF_ROWS = """
from contextlib import closing
from pipeline_output.stores.cassandra_connection import connection
from pipeline_output.stores.cassandra_url import parse_address
keyspaces = connection(parse_address("cassandra://cassandra:9042/pipeline"))
((replication,),) = keyspaces.rows(
    "asking", "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?", ("pipeline",)
)
print(replication["datacenter1"])
keyspaces.forget()
"""


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """A file, the service that dies, where Cassandra is then, and the question how often something is kept."""

    file: str
    dies: str
    store: str
    copies: str


OVERLAYS = (
    Overlay(
        file="docker-compose.kafka3.yml",
        dies="kafka",
        store="cassandra://cassandra:9042/pipeline",
        copies=COPIES_OF_TOPICS,
    ),
    Overlay(file="docker-compose.cassandra3.yml", dies="cassandra", store=CASSANDRA, copies=COPIES_OF_ROWS),
)


@dataclass(frozen=True, kw_only=True)
class Story:
    """What was seen before the kill, while one was dead, and after it came back."""

    unwell: dict[str, str]
    copies: str
    reached: bool
    went_on: dict[str, bool]
    unwell_meanwhile: dict[str, str]
    came_back: bool
    accounts: list[dict]


@pytest.fixture(scope="module", params=OVERLAYS, ids=lambda overlay: overlay.file)
def story(request: pytest.FixtureRequest) -> Iterator[Story]:
    overlay: Overlay = request.param
    stores = (DISK, overlay.store)
    with running_stack(overlay=overlay.file) as stack:
        print(f"{overlay.file}: all healthy after {stack.healthy_after_s:.0f} s")
        unwell, copies = ill(stack), stack.python("display", overlay.copies).strip()
        reached = until(lambda: all(windows(stack, url) for url in stores), WINDOWS_WITHIN_S, pause_s=3)
        stack.command("kill", "--signal", "SIGKILL", overlay.dies)  # the restart policy leaves it dead then
        killed_ns = time.time_ns()
        went_on = {url: until(lambda url=url: goes_on(stack, url, killed_ns), GOES_ON_WITHIN_S) for url in stores}
        print(f"{overlay.file}: windows of {GOES_ON_S} s later after {(time.time_ns() - killed_ns) / NS:.0f} s")
        until(lambda: ill(stack).keys() <= {overlay.dies}, BACK_WITHIN_S, pause_s=1)
        unwell_meanwhile = ill(stack)
        stack.command("start", overlay.dies)
        came_back = until(lambda: not ill(stack), BACK_WITHIN_S, pause_s=1)
        stack.command("stop", "input-random-numbers", "input-monitoring")
        until(lambda: not any(each["on_the_way"] for each in accounts(stack)), CAUGHT_UP_WITHIN_S, pause_s=3)
        yield Story(
            unwell=unwell,
            copies=copies,
            reached=reached,
            went_on=went_on,
            unwell_meanwhile={name: how for name, how in unwell_meanwhile.items() if name != overlay.dies},
            came_back=came_back,
            accounts=accounts(stack),
        )


def ill(stack: Stack) -> dict[str, str]:
    """The services that are not healthy, one-shots aside."""
    return {
        name: f"{service.state}, {service.health}"
        for name, service in stack.services().items()
        if name not in ONE_SHOTS and (service.state, service.health) != ("running", "healthy")
    }


def goes_on(stack: Stack, url: str, killed_ns: int) -> bool:
    return bool(windows(stack, url, killed_ns + GOES_ON_S * NS))


def test_everyone_is_healthy_and_everything_is_kept_three_times(story: Story) -> None:
    assert (story.unwell, story.copies) == ({}, "3")


def test_windows_reach_both_stores(story: Story) -> None:
    assert story.reached


def test_with_one_dead_windows_go_on_into_both_stores(story: Story) -> None:
    assert (list(story.went_on.values()), story.unwell_meanwhile) == ([True, True], {})


def test_the_dead_one_comes_back(story: Story) -> None:
    assert story.came_back


def test_no_event_is_lost_or_twice(story: Story) -> None:
    assert {each["source"] for each in story.accounts} == {"random-numbers", "monitoring", "census-population"}
    wrong = [each for each in story.accounts if each["lost"] or each["twice"] or each["on_the_way"]]
    assert wrong == []
