"""The pages as a visitor's browser draws them: Chromium, the marks' data, and what must hold of them in every mode."""

from __future__ import annotations

import contextlib
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import census_oracle
import oracle
import pytest
from pipeline_display.demos import DEMOS
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright
from running_display import ours_of
from waiting import PATIENCE_S, until

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
DRAWN_WITHIN_S = 300
MARKS = (
    'name => document.querySelector(`path.line[data-name="${name}"]`)?.__data__?.points.map(row => ({...row})) ?? []'
)
BARS = "[...document.querySelectorAll('rect.bar')].map((bar) => bar.__data__.row)"
STATES = "[...document.querySelectorAll('path.state')].map((state) => state.__data__.row)"
LEDGER = (
    "[...document.querySelectorAll('#audit tbody tr')].map((tr) => ({...tr.__data__, verdict: tr.dataset.verdict}))"
)
Topic = Callable[[], Iterable[oracle.Raw]]
"""What a page's topic holds now."""


@dataclass
class Visit:
    """A page that is open; what the browser complained of is in `said`."""

    page: Page
    said: list[str] = field(default_factory=list)

    @property
    def complaints(self) -> list[str]:
        """Those that are not of the machine's networks, which change when a container starts."""
        return list(ours_of(self.said))

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
            lambda message: opened.said.append(message.text) if message.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: opened.said.append(str(error)))
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


def check(name: str, visited: Visit, raw: Callable[[str], Iterable[oracle.Raw]]) -> None:
    """The demo of that name draws what must come out of its topic, which `raw` reads; the census what its files say."""
    demo = DEMOS[name]
    CHECKS[demo.chart](visited, lambda: raw(demo.topic))


def check_windows(visited: Visit, raw: Topic) -> None:
    """What is drawn and settled equals the recomputation from the topic's own lines, and the chart moves."""
    assert until(lambda: len(visited.marks("mean")) > 20, DRAWN_WITHIN_S)
    drawn: dict[int, dict] = {row["window_start_ns"]: row for row in visited.marks("mean")}
    oldest_ns, settled_ns = min(drawn), max(drawn) - SETTLED_NS
    expected: dict[int, oracle.Window] = {}

    def wrong() -> dict[int, tuple]:
        """Of the windows that were settled at first: what slides out of the picture stays as it was drawn last."""
        expected.clear()
        windows = oracle.windows(oracle.events(raw())).items()
        expected.update((start_ns, window) for start_ns, window in windows if oldest_ns <= start_ns <= settled_ns)
        drawn.update((row["window_start_ns"], row) for row in visited.marks("mean"))
        return oracle.wrong(drawn, expected)

    assert until(lambda: not wrong(), PATIENCE_S, pause_s=1), f"drawn otherwise than the topic says: {wrong()}"
    assert len(expected) > 5, f"only {len(expected)} settled windows among {len(drawn)} drawn"
    check_moves(visited, "mean", "window_start_ns")


def check_monitoring(visited: Visit, raw: Topic) -> None:
    """Every drawn sample is one of the topic, value by value, and the chart moves."""
    assert until(lambda: len(visited.marks("us")) > 2, DRAWN_WITHIN_S)
    drawn = visited.marks("us")
    travelled = {event["event_id"]: event for _, event in oracle.events(raw())}
    columns = ("us", "sy", "free", "cs", "bo")
    wrong = [row for row in drawn if any(travelled[row["event_id"]][name] != row[name] for name in columns)]
    assert wrong == [], f"drawn otherwise than the topic says: {wrong}"
    check_moves(visited, "us", "seq")


def check_numbers(visited: Visit, raw: Topic) -> None:
    """The histogram's figures are those of the topic's numbers between the oldest and the newest that it shows."""
    drawn: dict = {}
    expected: list = []

    def is_right() -> bool:
        """Not at once: a page gets the past in portions, and one in the middle lacks what was sent again after later numbers."""
        drawn.update(*visited.marks("mean"))
        if drawn.get("count", 0) <= 500:
            return False
        travelled = {event["event_id"]: event for _, event in oracle.events(raw())}.values()
        values = [event["value"] for event in travelled if drawn["since_ns"] <= event["time_ns"] <= drawn["newest_ns"]]
        expected[:] = [len(values), min(values), max(values), statistics.fmean(values), statistics.pstdev(values)]
        found = [drawn[name] for name in ("count", "min", "max", "mean", "standard_deviation")]
        return found[:3] == expected[:3] and all(
            math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9) for one, other in zip(found, expected, strict=True)
        )

    assert until(is_right, DRAWN_WITHIN_S, pause_s=1), f"drawn {drawn}, but the topic says {expected}"
    check_moves(visited, "mean", "newest_ns")


def check_hosts(visited: Visit, raw: Topic) -> None:
    """As of the numbers, of windows of a host; times beyond its start are no whole numbers in a browser."""
    assert until(lambda: len(visited.marks("busy_mean")) > 20, DRAWN_WITHIN_S)
    first = visited.marks("busy_mean")
    host, oldest_ns, settled_ns = (
        first[0]["host"],
        first[0]["window_start_ns"],
        first[-1]["window_start_ns"] - SETTLED_NS,
    )
    drawn: dict[int, dict] = {}
    expected: dict[int, dict] = {}

    def wrong() -> dict[int, tuple]:
        drawn.update((row["window_start_ns"], _without_times(row)) for row in [*first, *visited.marks("busy_mean")])
        found = oracle.host_windows(oracle.events(raw())).items()
        expected.clear()
        expected.update(
            (at, _without_times(row)) for (at, of), row in found if of == host and oldest_ns <= at <= settled_ns
        )
        return {
            at: (row, drawn.get(at))
            for at, row in expected.items()
            if not (at in drawn and oracle.same_host(row, drawn[at]))
        }

    assert until(lambda: not wrong(), PATIENCE_S, pause_s=1), f"drawn otherwise than the topic says: {wrong()}"
    assert len(expected) > 5, f"only {len(expected)} settled windows among {len(drawn)} drawn"
    tumbling = {row["window_start_ns"]: row["busy_mean"] for row in visited.page.evaluate(BARS)}
    both = {at: row["busy_mean"] for at, row in expected.items() if at in tumbling and row["count"]}
    assert {at: tumbling[at] for at in both} == pytest.approx(both)
    check_moves(visited, "busy_mean", "window_start_ns")


def check_census(visited: Visit, _raw: Topic) -> None:
    """The first and the last year's bars, the mean ages and the states' incomes equal those of the files."""
    people, ages, incomes = census_oracle.people(), census_oracle.ages(), census_oracle.incomes()
    assert until(lambda: visited.page.evaluate(BARS) and visited.page.evaluate(STATES), DRAWN_WITHIN_S)
    for key, year in (("Home", 2000), ("End", 2020)):
        visited.page.focus("#year")
        visited.page.keyboard.press(key)
        expected = {(sex, age): count for (of, sex, age), count in people.items() if of == year}
        assert until(lambda expected=expected: _bars(visited) == expected, PATIENCE_S), f"{year}: {_bars(visited)}"
    found = {(row["year"], sex): row for sex in ("female", "male", "all") for row in visited.marks(sex)}
    assert {key: row["mean"] for key, row in found.items()} == pytest.approx(
        {key: mean for key, (_, mean, _) in ages.items()}
    )
    means = {row["place"]: row["mean"] for row in visited.page.evaluate(STATES)}
    assert means == pytest.approx({place: row[3] for (kind, place), row in incomes.items() if kind == "state"})


def check_ledger(visited: Visit, stores: Iterable[str]) -> None:
    """The index compares each source with each store, and nothing is lost or twice; the census is there as a whole."""
    sources = ("random-numbers", "monitoring", "census-population")
    expected = {(source, store): (0, 0, "whole") for source in sources for store in stores}
    shown: dict[tuple[str, str], dict] = {}

    def is_whole() -> bool:
        shown.clear()
        shown.update(((row["source"], row["store"]), row) for row in visited.page.evaluate(LEDGER) if "source" in row)
        people = {row["stored"] for (source, _), row in shown.items() if source == "census-population"}
        verdicts = {key: (row["lost"], row["twice"], row["verdict"]) for key, row in shown.items()}
        return (verdicts, people) == (expected, {len(census_oracle.people())})

    assert until(is_whole, DRAWN_WITHIN_S, pause_s=1), shown


def _bars(visited: Visit) -> dict[tuple[str, int], int]:
    return {(row["sex"], row["age"]): row["people"] for row in visited.page.evaluate(BARS)}


def _without_times(row: Mapping) -> dict:
    return {name: value for name, value in row.items() if name not in {"frame", "newest_event_ns"}}


CHECKS = {
    "monitoring": check_monitoring,
    "numbers": check_numbers,
    "census": check_census,
    "windows": check_windows,
    "hosts": check_hosts,
}


def check_moves(visited: Visit, name: str, column: str) -> None:
    """A live page goes on; how soon is measured where nothing else works beside it."""
    newest = visited.marks(name)[-1][column]
    assert until(lambda: visited.marks(name)[-1][column] != newest, PATIENCE_S)
