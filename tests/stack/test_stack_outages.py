"""Which pages say stale when something stops: exactly those whose data comes by it; the others go on, and all are live again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pages
import pytest
from pipeline_display.demos import DEMOS
from playwright.sync_api import Page, sync_playwright
from running_stack import Stack
from waiting import until

pytestmark = pytest.mark.engine

STOPPED = {
    "Cassandra": (["cassandra"], ["demo3", "demo6", "demo8"]),
    "Spark": (["processing", "spark-worker", "spark-master"], ["demo5", "demo6", "demo7", "demo8"]),
    "the queue": (["kafka"], ["demo1", "demo2", "demo5", "demo6", "demo7", "demo8"]),
}
NOTICED_WITHIN_S = 240
HELD_S = 3.0
"""A page that says it in passing does not say it."""
LIVE_WITHIN_S = 600
"""The slowest way back is Spark's: master, worker, driver, then the first batches of four queries."""


@contextmanager
def all_pages(stack: Stack) -> Iterator[Mapping[str, Page]]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=pages.CHROMIUM_ARGUMENTS)
        opened = {}
        for name in DEMOS:
            opened[name] = browser.new_page()
            pages.go(opened[name], f"{stack.page}/{name}")
        yield opened
        browser.close()


def states(opened: Mapping[str, Page]) -> dict[str, str]:
    return {name: page.evaluate("document.body.dataset.state") for name, page in opened.items()}


def say(opened: Mapping[str, Page], wanted: Mapping[str, str], within_s: float) -> bool:
    """Whether the pages come to say so in time, and say nothing else for HELD_S."""
    since_s: list[float] = []

    def hold() -> bool:
        if states(opened) != wanted:
            since_s.clear()
        elif not since_s:
            since_s.append(time.monotonic())
        return bool(since_s) and time.monotonic() - since_s[0] >= HELD_S

    return until(hold, within_s, pause_s=0.25)


def expected(stale: Sequence[str]) -> dict[str, str]:
    return {name: "stale" if name in stale else "live" for name in DEMOS}


def test_each_outage_shows_on_exactly_the_pages_behind_it_and_heals(stack: Stack) -> None:
    with all_pages(stack) as opened:
        assert say(opened, expected([]), LIVE_WITHIN_S), states(opened)
        for what, (services, stale) in STOPPED.items():
            stack.command("stop", *services)
            assert say(opened, expected(stale), NOTICED_WITHIN_S), f"without {what}: {states(opened)}"
            stack.command("start", *reversed(services))
            assert say(opened, expected([]), LIVE_WITHIN_S), f"after {what} came back: {states(opened)}"
