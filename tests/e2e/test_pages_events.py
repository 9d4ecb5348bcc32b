"""The page of applications' events: what comes in, how the loader stands, and one event from the form to its row.

The collector and the loader are the real ones, each in a process of its own.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from running_collector import Collector, collecting
from running_display import Display, await_true, displaying, opened
from waiting import PATIENCE_S, until

SHOTS = Path(__file__).parents[1] / "screenshots/out"


@dataclass
class Events:
    """All that the page tells of."""

    collector: Collector
    display: Display

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.display.port}/events"

    @property
    def database(self) -> Path:
        return self.display.folder / "events.db"

    @contextmanager
    def loading(self) -> Iterator[subprocess.Popen[bytes]]:
        settings = {
            "QUEUE_URL": self.collector.queue_url,
            "DATABASE_URL": f"sqlite://{self.database}",
            "DB_LOAD_INTERVAL": "1",
            "DB_LOAD_MIN_INTERVAL": "1",
            "HEALTH_PORT": "0",
        }
        process = subprocess.Popen([sys.executable, "-m", "pipeline_cli", "load"], env=os.environ | settings)
        try:
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE_S)

    def rows(self, of_type: str) -> list[tuple[str, int, str]]:
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(f"select event_id, user_id, message from {of_type}").fetchall()


@pytest.fixture
def events(tmp_path: Path) -> Iterator[Events]:
    with (
        collecting(tmp_path) as collector,
        displaying(tmp_path, COLLECTOR_URL=f"http://127.0.0.1:{collector.port}") as display,
    ):
        yield Events(collector=collector, display=display)


def step(page: Page, name: str, is_: str) -> str:
    """What the way's step says once it is so."""
    selector = f"document.querySelector('#way [data-step={name}]')"
    await_true(page, f"{selector}.dataset.is === '{is_}'")
    return page.evaluate(f"{selector}.querySelector('.way-told').textContent")


def lines(page: Page, table: str) -> list[list[str]]:
    return page.evaluate(
        f"[...document.querySelectorAll('{table} tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
    )


def rate(page: Page) -> float:
    """Accepted events a second, as the page says."""
    return float(page.inner_text("#accepted").split()[0].replace("–", "0"))


def test_an_event_is_followed_from_the_form_to_its_row(events: Events, browser: Browser) -> None:
    with events.loading(), opened(browser, events.address) as page:
        page.fill("[name=user_id]", "9223372036854775807")
        page.fill("[name=message]", 'it\'s "quoted", with commas\\n')
        page.click("#send button")
        answered, queued = step(page, "answered", "done"), step(page, "queued", "done")
        loaded = step(page, "loaded", "done")
        (row,) = events.rows("crash_report")
        (on_queue,) = events.collector.events()
        assert ("HTTP 200" in answered, "offset 0" in queued) == (True, True)
        assert row == (on_queue["event_id"], 2**63 - 1, 'it\'s "quoted", with commas\\n')
        assert f'event_id "{row[0]}"' in loaded
        assert "user_id 9223372036854775807" in loaded
        await_true(page, "document.querySelector('#newest table[data-type=crash_report] tbody tr') !== null")
        assert "9223372036854775807" in lines(page, "#newest table[data-type=crash_report]")[0]


def test_what_comes_in_and_what_is_refused_is_counted_by_client_type_and_reason(
    events: Events, browser: Browser
) -> None:
    with events.loading(), opened(browser, events.address) as page:
        install = {"event_name": "install", "user_id": 1, "timestamp": 2}
        many = b"\n".join(json.dumps(each).encode() for each in [install] * 30 + [install | {"user_id": "x"}] * 4)
        assert events.collector.ask("POST", "/events", many)[0] == 200
        events.collector.ask("POST", "/", b"no json")
        accepted = "[...document.querySelectorAll('#accepted-by tbody tr')].map((row) => row.__data__?.events)"
        await_true(page, f"JSON.stringify({accepted}) === '[30]'")
        refused = "[...document.querySelectorAll('#refused-by tbody tr')].map((row) => row.__data__ ?? {})"
        await_true(page, f"{refused}.reduce((sum, row) => sum + row.events, 0) === 5")
        told = {each["outcome"]: each["events"] for each in page.evaluate(refused)}
        assert told == {"invalid value type": 4, "bad json structure": 1}
        assert lines(page, "#accepted-by")[0][:2] == ["anybody", "install"]
        loads = "Object.fromEntries([...document.querySelectorAll('#loads tbody tr')].map((row) => [row.__data__?.type, row.__data__?.events]))"
        await_true(page, f"{loads}.install === 30")
        assert page.evaluate(loads) == {"crash_report": 0, "install": 30, "purchase": 0}
        assert until(lambda: events.collector.ask("POST", "/", install) and rate(page) > 0, 60)
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / "events.png", full_page=True)


def test_a_refused_event_stops_where_it_was_refused(events: Events, browser: Browser) -> None:
    with opened(browser, events.address) as page:
        page.fill("[name=user_id]", "not a number")
        page.click("#send button")
        assert "`user_id` must be an integer" in step(page, "answered", "failed")
        assert step(page, "queued", "failed") == "no: it was refused"
        assert events.collector.events() == []


def test_who_dies_is_shown_and_so_is_the_return(events: Events, browser: Browser) -> None:
    health = "document.querySelector('#loader').dataset.health"
    with opened(browser, events.address) as page:
        with events.loading() as loader:
            await_true(page, f"{health} === 'up'")
            loader.send_signal(signal.SIGKILL)
            await_true(page, f"{health} === 'gone'")
            page.click("#send button")
            step(page, "queued", "done")
            told = "document.querySelector('#way [data-step=loaded] .way-told').textContent"
            await_true(page, f"{told} === 'waiting for the next load'")
            assert page.evaluate("document.querySelector('#way [data-step=loaded]').dataset.is") == "open"
        with events.loading():
            step(page, "loaded", "done")
            await_true(page, f"{health} === 'up'")


def test_a_collector_that_is_away_is_said_and_the_page_goes_on(events: Events, browser: Browser) -> None:
    with opened(browser, events.address) as page:
        events.collector.kill()
        page.click("#send button")
        assert "does not answer" in step(page, "answered", "failed")


def test_without_a_collector_the_page_says_how_to_name_one(tmp_path: Path, browser: Browser) -> None:
    with displaying(tmp_path) as display, opened(browser, f"http://127.0.0.1:{display.port}/events") as page:
        assert (page.locator("#send").count(), "COLLECTOR_URL" in page.inner_text("#no-collector")) == (0, True)
        await_true(page, "document.body.dataset.state === 'no-data'")
