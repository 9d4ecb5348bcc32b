"""Browsers whose clocks are wrong: what is told goes by the server's clock, also of what came before that was known."""

from __future__ import annotations

from playwright.sync_api import Browser, Page
from running_display import CLOCK_HELD_UP, CLOCK_LET_GO, Display, await_true, opened

SEQS = "(document.querySelector(\"path.line[data-name='us']\")?.__data__.points ?? []).map((point) => point.seq)"
AN_HOUR_AHEAD = "Object.defineProperty(performance, 'timeOrigin', {value: performance.timeOrigin + 3_600_000})"


def address(port: int, name: str = "demo1") -> str:
    return f"http://127.0.0.1:{port}/{name}"


def await_state(page: Page, state: str) -> None:
    await_true(page, f"document.body.dataset.state === '{state}'")


def await_seq(page: Page, seq: int) -> None:
    await_true(page, f"{SEQS}.at(-1) === {seq}")


def test_a_browser_whose_clock_is_an_hour_ahead_tells_the_same_latency(display: Display, browser: Browser) -> None:
    with opened(browser, address(display.port), before=AN_HOUR_AHEAD) as page:
        for _ in range(5):
            display.publish()
            await_seq(page, display.seq - 1)
        await_true(page, "document.querySelector('#latency-median').dataset.count >= 4")
        told = page.evaluate("document.querySelector('#latency-median').dataset.ms")
        assert 0 <= float(told) < 3000
        await_true(page, "document.body.dataset.state === 'live'", meanwhile=display.publish)
        await_state(page, "stale")
    with opened(browser, address(display.port, ""), before=AN_HOUR_AHEAD) as page:
        await_true(page, "document.querySelector('#stages [data-stage=display]').dataset.health === 'up'")


def test_what_came_before_the_server_told_its_time_is_dated_by_it(display: Display, browser: Browser) -> None:
    latency = "document.querySelector('#latency-median').dataset"
    with opened(browser, address(display.port), before=AN_HOUR_AHEAD + ";" + CLOCK_HELD_UP) as page:
        await_state(page, "no-data")
        display.publish()
        await_seq(page, 0)
        page.evaluate(CLOCK_LET_GO)
        await_true(page, f"{latency}.count >= 1")
        # An answer that was held up is wrong by half of that, and the clock by an hour.
        assert 0 <= float(page.evaluate(f"{latency}.ms")) < 600_000
        await_state(page, "stale")
