"""The running demo in a real browser: what is drawn is what travelled."""

from __future__ import annotations

from collections.abc import Iterator

import oracle
import pages
import pytest
from pipeline_display.demos import DEMOS
from pipeline_queue.brokers import open_broker
from running_demo import Demo
from waiting import PATIENCE_S, until

BY_NEWS = sorted(DEMOS, key=lambda name: DEMOS[name].is_settled)
"""The census last: it is computed while the others are looked at."""


@pytest.fixture(params=BY_NEWS)
def visited(request: pytest.FixtureRequest, demo: Demo) -> Iterator[tuple[str, pages.Visit]]:
    with pages.visit(f"http://127.0.0.1:{demo.port}/{request.param}") as visit:
        yield request.param, visit


def test_drawn_values_equal_a_recomputation_from_the_topic_or_the_files(
    demo: Demo, visited: tuple[str, pages.Visit]
) -> None:
    name, visit = visited
    broker = open_broker(f"sqlite://{demo.folder}/queue")
    pages.check(name, visit, lambda topic: oracle.raw_records(broker, topic))
    visit.keep(f"embedded-{name}")
    assert visit.complaints == []


def test_the_stand_in_says_that_it_is_one(demo: Demo) -> None:
    assert "SQLite, standing in for Cassandra" in demo.page("/demo6")


def test_the_index_shows_every_service_as_it_is_now(demo: Demo) -> None:
    services = {"input-monitoring", "input-random-numbers", "processing", "display"}
    with pages.visit(f"http://127.0.0.1:{demo.port}/") as visit:
        shown = visit.page.locator("body")
        assert until(lambda: all(name in shown.inner_text() for name in services), PATIENCE_S), shown.inner_text()
        visit.page.wait_for_timeout(1500)
        pages.check_ledger(visit, ("disk", "sqlite"))
        visit.keep("embedded-index")
        assert visit.complaints == []
