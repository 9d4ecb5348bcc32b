"""The pages as a visitor's browser draws them: Chromium, the marks' data, and what must hold of them in every mode."""

from __future__ import annotations

import contextlib
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import oracle
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright
from waiting import until

SCREENSHOTS = Path(__file__).parent / "screenshots" / "out"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]
SETTLED_NS = 12 * oracle.NS
"""Older than this a window changes no more: lateness and a micro-batch have passed."""
FRESH_NS = 3 * oracle.NS
"""A page whose newest number is younger has the whole past."""
MARKS = (
    'name => document.querySelector(`path.line[data-name="${name}"]`)?.__data__?.points.map(row => ({...row})) ?? []'
)


@dataclass
class Visit:
    """A page that is open; what the browser complained of is in `complaints`."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def marks(self, name: str) -> list[dict]:
        """The rows behind the drawn line of that name, oldest first."""
        return self.page.evaluate(MARKS, name)

    def keep(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@contextlib.contextmanager
def visit(address: str) -> Iterator[Visit]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        opened = Visit(page)
        page.on(
            "console",
            lambda message: opened.complaints.append(message.text) if message.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        go(page, address)
        yield opened
        browser.close()


def go(page: Page, address: str) -> None:
    """Open the page; Chromium gives up a load while the machine's networks change, as when a container starts."""
    try:
        page.goto(address)
    except PlaywrightError as error:
        if "ERR_NETWORK_CHANGED" not in str(error):
            raise
        page.goto(address)


def check_windows(visited: Visit, raw: Callable[[], Iterable[oracle.Raw]]) -> None:
    """What is drawn and settled equals the recomputation from the topic's own lines, and the chart moves."""
    assert until(lambda: len(visited.marks("mean")) > 20, 60)
    drawn = {row["window_start_ns"]: row for row in visited.marks("mean")}
    settled_ns = max(drawn) - SETTLED_NS
    expected = {
        start_ns: window
        for start_ns, window in oracle.windows(oracle.events(raw())).items()
        if min(drawn) <= start_ns <= settled_ns
    }
    wrong = {
        start_ns: (window, drawn.get(start_ns))
        for start_ns, window in expected.items()
        if not oracle.same(window, drawn[start_ns])
    }
    assert len(expected) > 5, f"only {len(expected)} settled windows among {len(drawn)} drawn"
    assert wrong == {}, f"drawn otherwise than the topic says: {wrong}"
    check_moves(visited, "mean", "window_start_ns")


def check_monitoring(visited: Visit, raw: Callable[[], Iterable[oracle.Raw]]) -> None:
    """Every drawn sample is one of the topic, value by value, and the chart moves."""
    assert until(lambda: len(visited.marks("us")) > 2, 30)
    drawn = visited.marks("us")
    travelled = {event["event_id"]: event for _, event in oracle.events(raw())}
    columns = ("us", "sy", "free", "cs", "bo")
    wrong = [row for row in drawn if any(travelled[row["event_id"]][name] != row[name] for name in columns)]
    assert wrong == [], f"drawn otherwise than the topic says: {wrong}"
    check_moves(visited, "us", "seq")


def check_numbers(visited: Visit, raw: Callable[[], Iterable[oracle.Raw]]) -> None:
    """The histogram's figures are those of the topic's numbers between the oldest and the newest that it shows."""
    drawn: dict = {}

    def is_whole() -> bool:
        """A page gets the past in portions; one in the middle lacks what was sent again after later numbers."""
        drawn.update(*visited.marks("mean"))
        return drawn.get("count", 0) > 500 and time.time_ns() - drawn["newest_ns"] < FRESH_NS

    assert until(is_whole, 60), drawn
    travelled = {event["event_id"]: event for _, event in oracle.events(raw())}.values()
    values = [event["value"] for event in travelled if drawn["since_ns"] <= event["time_ns"] <= drawn["newest_ns"]]
    found, expected = (drawn["count"], drawn["min"], drawn["max"]), (len(values), min(values), max(values))
    assert found == expected, f"drawn {found}, but the topic says {expected}"
    assert math.isclose(drawn["mean"], statistics.fmean(values), rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(drawn["standard_deviation"], statistics.pstdev(values), rel_tol=1e-9)
    check_moves(visited, "mean", "newest_ns")


def check_moves(visited: Visit, name: str, column: str) -> None:
    """A live page changes within 3 s."""
    newest = visited.marks(name)[-1][column]
    assert until(lambda: visited.marks(name)[-1][column] != newest, 3)
