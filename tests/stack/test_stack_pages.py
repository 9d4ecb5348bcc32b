"""The Compose stack in a real browser: what is drawn is what travelled through Kafka, Spark and Cassandra."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import oracle
import pages
import pytest
from running_stack import Stack
from waiting import until

pytestmark = pytest.mark.engine

READ = """
import base64, json
from pipeline_queue.brokers import open_broker
broker = open_broker("kafka://kafka:9092")
position, ends = broker.begin_offsets({topic!r}), broker.end_offsets({topic!r})
while any(position[each] < end for each, end in ends.items()):
    for record in broker.read({topic!r}, position, wait_s=5):
        position[record.partition] = record.offset + 1
        print(json.dumps([record.append_time_ns, base64.b64encode(record.value).decode()]))
"""


def raw_records(stack: Stack, topic: str) -> Iterator[oracle.Raw]:
    """All that the topic holds, read inside the stack: its queue is not published."""
    for line in stack.python("display", READ.format(topic=topic)).splitlines():
        append_time_ns, value = json.loads(line)
        yield append_time_ns, base64.b64decode(value)


@pytest.mark.parametrize("name", ["demo1", "demo5", "demo6"])
def test_drawn_values_equal_a_recomputation_from_the_topic(stack: Stack, name: str) -> None:
    with pages.visit(f"{stack.page}/{name}") as visit:
        if name == "demo1":
            pages.check_monitoring(visit, lambda: raw_records(stack, "monitoring"))
        else:
            pages.check_windows(visit, lambda: raw_records(stack, "random-numbers"))
        visit.keep(f"compose-{name}")
        assert visit.complaints == []


def test_a_submitted_job_is_answered_by_the_running_application(stack: Stack) -> None:
    said = stack.command("run", "--rm", "submit", "random-numbers")
    assert "random-numbers: finished" in said


def test_the_index_shows_every_service_as_it_is_now(stack: Stack) -> None:
    services = {"input-monitoring", "input-random-numbers", "processing", "display"}
    with pages.visit(f"{stack.page}/") as visit:
        shown = visit.page.locator("body")
        assert until(lambda: all(name in shown.inner_text() for name in services), 15), shown.inner_text()
        visit.keep("compose-index")
        assert visit.complaints == []
