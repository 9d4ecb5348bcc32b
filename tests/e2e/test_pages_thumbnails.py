"""The index's live pictures: each demo small, from its own data, told apart when it is stale, and cheap."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import census_oracle
import census_rows
import pytest
import socketio
from numbers_on_the_topic import normal, publish, raw_events
from pipeline_output.tables import TABLES
from playwright.sync_api import Browser, Page
from reading_frames import rows_in
from running_display import (
    NS,
    Display,
    await_true,
    await_width,
    displaying,
    host_window,
    opened,
    publishing,
    window,
)
from waiting import PATIENCE_S, until

SHOTS = Path(__file__).parents[1] / "screenshots/out"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    """With two minutes of numbers."""
    with displaying(tmp_path_factory.mktemp("filled")) as display:
        publish(display, normal(12_000, over_s=119))
        yield display


def index(display: Display) -> str:
    return f"http://127.0.0.1:{display.port}/"


def of_card(demo: str, what: str) -> str:
    return f"document.querySelector('.card[data-demo={demo}] {what}')"


def state_of(demo: str) -> str:
    return f"document.querySelector('.card[data-demo={demo}]').dataset.state"


def await_state(page: Page, demo: str, state: str) -> None:
    await_true(page, f"{state_of(demo)} === '{state}'")


def await_rows(page: Page, demo: str) -> None:
    """Until it is live, or was so for as long as news are news."""
    await_true(page, f"['live', 'stale'].includes({state_of(demo)})")


def test_each_card_draws_its_demo_from_its_own_data_and_says_the_newest(display: Display, browser: Browser) -> None:
    now_ns = time.time_ns() // NS * NS
    with opened(browser, index(display)) as page:
        display.publish(5)
        publish(display, normal(900, over_s=9))
        display.write_windows(*(window(now_ns - age_s * NS, mean=age_s / 8) for age_s in range(10)))
        for demo in ("demo1", "demo2", "demo5", "demo6"):
            await_rows(page, demo)
        busy = of_card("demo1", "path.line[data-name=busy]") + ".__data__.points.map((row) => row.us + row.sy)"
        assert page.evaluate(busy)[-1] == display.raw_events()[-1]["us"] + display.raw_events()[-1]["sy"]
        bars = page.evaluate(
            "[...document.querySelectorAll('.card[data-demo=demo2] rect.bar')].map((bar) => bar.__data__)"
        )
        sent = sum(bar["count"] for bar in bars)
        values = [event["value"] for event in raw_events(display)]
        assert (80 <= sent <= 100, bars[0]["low"] >= min(values) - 5) == (True, True)
        for demo in ("demo5", "demo6"):
            means = of_card(demo, "path.line[data-name=mean]") + ".__data__.points.map((row) => 8 * row.mean).join()"
            await_true(page, f"{means} === '9,8,7,6,5,4,3,2,1,0'")
        shown = ("demo1", "demo2", "demo5", "demo6")
        assert [demo for demo in shown if not page.evaluate(of_card(demo, ".card-now") + ".textContent").strip()] == []


def test_the_cards_of_the_census_and_of_hosts_draw_what_their_stores_hold(filled: Display, browser: Browser) -> None:
    now_ns = time.time_ns() // NS * NS
    for name, rows in census_rows.tables().items():
        filled.write(TABLES[name], rows)
    filled.write_host_windows(*(host_window(now_ns - age_s * NS, "here", busy=10.0 + age_s) for age_s in range(10)))
    people = {(sex, age): count for (year, sex, age), count in census_oracle.people().items() if year == 2020}
    with opened(browser, index(filled)) as page:
        for demo in ("demo3", "demo4"):
            bars = f"[...document.querySelectorAll('.card[data-demo={demo}] rect.bar')].map((bar) => bar.__data__.row)"
            await_true(page, f"{bars}.length === 202")
            assert {(row["sex"], row["age"]): row["people"] for row in page.evaluate(bars)} == people
            said = page.evaluate(of_card(demo, ".card-now") + ".textContent")
            assert said == f"{sum(people.values()):,} people in 2020"
        for demo in ("demo7", "demo8"):
            means = (
                of_card(demo, "path.line[data-name=busy_mean]") + "?.__data__.points.map((row) => row.busy_mean).join()"
            )
            await_true(page, f"{means} === '19,18,17,16,15,14,13,12,11,10'")
            await_true(page, of_card(demo, ".card-now") + ".textContent === 'here: 10 % busy over 5 s'")


def test_a_thumbnail_goes_on_and_is_dimmed_when_its_demo_falls_silent(display: Display, browser: Browser) -> None:
    dimmed = f"getComputedStyle({of_card('demo1', '.thumbnail')}).filter !== 'none'"
    word = of_card("demo1", ".card-state-word") + ".textContent"
    with opened(browser, index(display)) as page:
        await_state(page, "demo1", "no-data")
        for _ in range(2):
            display.publish()
            newest = of_card("demo1", "path.line[data-name=busy]") + "?.__data__.points.at(-1).seq"
            await_true(page, f"{newest} === {display.seq - 1}")
        await_true(page, f"{word} === 'Live' && !{dimmed}", meanwhile=display.publish)
        await_state(page, "demo1", "stale")
        assert page.evaluate(f"[{word}, {dimmed}]") == ["Stale", True]


def test_the_pictures_are_drawn_once_a_second_however_many_events_come(display: Display, browser: Browser) -> None:
    with opened(browser, index(display)) as page, publishing(display, every_s=0.02):
        await_state(page, "demo1", "live")
        page.evaluate(
            """() => {
                window.drawn = [];
                const line = document.querySelector(".card[data-demo=demo1] path.line");
                new MutationObserver(() => drawn.push(performance.now())).observe(line, { attributes: true, attributeFilter: ["d"] });
            }"""
        )
        await_true(page, "drawn.length >= 5")
        drawn_ms = page.evaluate("drawn")
        assert drawn_ms[-1] - drawn_ms[0] >= 1000 * (len(drawn_ms) - 2)  # the first may have been told late


def test_the_index_is_sent_ten_numbers_a_second_and_not_the_history(display: Display) -> None:
    """Ten minutes of a hundred a second are 60,000 numbers; a thumbnail shows two minutes and needs a tenth of them."""
    publish(display, normal(60_000, over_s=600))
    whole, thumbnail = (
        followed(display, name, at_least) for name, at_least in (("demo2", 60_000), ("demo2/thumbnail", 1_001))
    )
    assert (whole, 1_000 < thumbnail <= 6_100) == (60_000, True)


def followed(display: Display, feed: str, at_least: int) -> int:
    """How many rows a page gets that opens now and waits until the first `at_least` are there, and a second more."""
    client, rows = socketio.Client(), []

    def news(message: dict[str, Any]) -> None:
        rows.extend(row for part in message["parts"] for frame in part["frames"] for row in rows_in(frame))
        client.emit("drawn")

    client.on("news", news)
    client.connect(f"http://127.0.0.1:{display.port}", transports=["websocket"])
    client.call("follow", [{"feed": feed}])
    assert until(lambda: len(rows) >= at_least, PATIENCE_S)
    time.sleep(1)
    client.disconnect()
    return len(rows)


def test_a_chart_without_a_thumbnail_leaves_its_card_without_a_picture_and_tells_its_state(
    display: Display, browser: Browser
) -> None:
    with opened(browser, index(display), complaints=True) as page:
        page.route("**/charts/monitoring.js", lambda route: route.fulfill(content_type="text/javascript", body=""))
        page.reload()
        await_true(page, f"{state_of('demo1')} === 'live'", meanwhile=display.publish)
        shown = [page.locator(f".card[data-demo={demo}] .thumbnail").is_visible() for demo in ("demo1", "demo2")]
        assert shown == [False, True]


def test_a_demo_without_its_store_says_so_on_its_card(display: Display, browser: Browser) -> None:
    display.stop()
    display.start(STORES=display.stores["disk"])
    with opened(browser, index(display)) as page:
        await_true(page, of_card("demo6", ".card-now") + ".textContent.startsWith('No store for this demo')")
        await_state(page, "demo6", "no-data")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_index_with_pictures_fits_its_window(filled: Display, browser: Browser, scheme: Any, width: int) -> None:
    with opened(browser, index(filled), color_scheme=scheme) as page:
        page.set_viewport_size({"width": width, "height": 800})
        now_ns = time.time_ns() // NS * NS
        filled.write_windows(*(window(now_ns - age_s * NS, mean=age_s % 7 / 4) for age_s in range(110)))
        filled.publish(3)
        await_rows(page, "demo5")
        page.wait_for_timeout(1100)
        await_width(page, width)
        page.screenshot(path=SHOTS / f"index-thumbnails-{scheme}-{width}.png", full_page=True)
