"""The Compose stack in a real browser: what is drawn is what travelled through Kafka, Spark and Cassandra."""

from __future__ import annotations

import pages
import pytest
from pipeline_display.demos import DEMOS
from running_stack import Stack
from stack_reading import raw_records
from waiting import PATIENCE_S, until

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("name", [*DEMOS])
def test_drawn_values_equal_a_recomputation_from_the_topic_or_the_files(stack: Stack, name: str) -> None:
    with pages.visit(f"{stack.page}/{name}") as visit:
        pages.check(name, visit, lambda topic: raw_records(stack, topic))
        visit.keep(f"compose-{name}")
        assert visit.complaints == []


def test_a_submitted_job_is_answered_by_the_running_application(stack: Stack) -> None:
    said = stack.command("run", "--rm", "submit", "random-numbers")
    assert "random-numbers: finished" in said


def test_the_index_shows_every_service_as_it_is_now(stack: Stack) -> None:
    services = {"input-monitoring", "input-random-numbers", "processing", "display"}
    with pages.visit(f"{stack.page}/") as visit:
        shown = visit.page.locator("body")
        assert until(lambda: all(name in shown.inner_text() for name in services), PATIENCE_S), shown.inner_text()
        pages.check_ledger(visit, ("disk", "cassandra"))
        visit.keep("compose-index")
        assert visit.complaints == []
