"""The pages in a real browser: what is drawn is what the topic and the stores hold, live, and nothing else."""

from __future__ import annotations

import itertools
import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from running_display import NS, Display, await_true, await_width, displaying, opened, window

SHOTS = Path(__file__).parents[1] / "screenshots/out"
LIVE_WITHIN_MS = 3000
"""The promise; half of several must keep it, as any one may meet a machine that stands still."""
LINES = "[...document.querySelectorAll('path.line')].map((e) => [e.dataset.name, e.__data__.points])"
DRAWN = "(name) => (document.querySelector(`path.line[data-name='${name}']`)?.__data__.points ?? [])"


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def display(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    with displaying(tmp_path_factory.mktemp(request.param), request.param) as display:
        yield display


def address(display: Display, name: str = "demo1") -> str:
    return f"http://127.0.0.1:{display.port}/{name}"


def await_event(page: Page, seq: int) -> None:
    """Until the event of that number is drawn."""
    await_true(page, f"({DRAWN})('us').at(-1)?.seq === {seq}")


def test_what_demo_1_draws_is_what_the_topic_holds(display: Display, browser: Browser) -> None:
    display.publish(20)
    with opened(browser, address(display)) as page:
        await_event(page, display.seq - 1)
        drawn = {name: [(point["event_id"], point[name]) for point in points] for name, points in page.evaluate(LINES)}
        raw = display.raw_events()
        assert set(drawn) == {"us", "sy", "wa", "r", "b", "in", "cs", "free", "cache", "buff", "bi", "bo"}
        assert drawn == {name: [(event["event_id"], event[name]) for event in raw] for name in drawn}


def test_a_line_lies_where_its_axis_says(display: Display, browser: Browser) -> None:
    """The picture itself: pixels of the path, read by the axis beside it, give the values back."""
    display.publish(5)
    with opened(browser, address(display)) as page:
        await_event(page, display.seq - 1)
        path, axis = page.evaluate(
            """() => {
                const line = document.querySelector("path.line[data-name='us']");
                const ticks = [...line.closest("svg").querySelectorAll(".axis.y .tick")];
                return [line.getAttribute("d"), ticks.map((t) => [t.textContent, t.getAttribute("transform")])];
            }"""
        )
        expected = [event["us"] for event in display.raw_events()]
    (low, low_y), (high, high_y) = [
        (float(text), float(re.findall(r"[\d.]+", at)[1])) for text, at in (axis[0], axis[-1])
    ]
    heights = [float(y) for _, y in re.findall(r"[ML]?([\d.]+),([\d.]+)", path)]
    read = [low + (y - low_y) / (high_y - low_y) * (high - low) for y in heights]
    assert read == pytest.approx(expected, abs=0.5)


def test_an_event_is_drawn_within_three_seconds_and_its_latency_is_told(display: Display, browser: Browser) -> None:
    with opened(browser, address(display)) as page:
        await_true(page, "document.body.dataset.state !== 'connecting'")
        for _ in range(10):
            display.publish()
            await_event(page, display.seq - 1)
        await_true(page, "document.querySelector('#latency-median').dataset.count >= 10")
        told = page.evaluate("({...document.querySelector('#latency-median').dataset})")
        assert 0 <= float(told["ms"]) <= float(told["p99"])
        assert float(told["ms"]) < LIVE_WITHIN_MS
        page.screenshot(path=SHOTS / f"demo1-{display.mode}.png", full_page=True)


def test_a_latency_is_the_time_from_making_to_drawing(display: Display, browser: Browser) -> None:
    """By its own arithmetic, as what a page tells also depends on how well it knows the server's clock."""
    with opened(browser, address(display)) as page:
        told = page.evaluate(
            """async () => {
                const { Latency } = await import("/static/latency.js");
                const latency = new Latency();
                for (const [made, drawn] of [[1000, 1030], [1000, 1010], [2000, 2700]]) latency.add(made, drawn);
                return latency.figures(3000);
            }"""
        )
    assert told == {"count": 3, "median": 30, "p99": 700, "isWhole": True}


def test_a_column_is_shown_and_hidden_by_keyboard(display: Display, browser: Browser) -> None:
    display.publish(3)
    with opened(browser, address(display)) as page:
        await_event(page, display.seq - 1)
        page.focus("input[name=id]")
        page.keyboard.press("Space")
        page.wait_for_selector("path.line[data-name=id]", state="attached")
        page.focus("input[name=us]")
        page.keyboard.press("Space")
        page.wait_for_selector("path.line[data-name=us]", state="detached")


def test_the_crosshair_reads_the_values_below_it(display: Display, browser: Browser) -> None:
    display.publish(3)
    with opened(browser, address(display)) as page:
        await_event(page, display.seq - 1)
        page.focus("svg.panel")
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        value = "document.querySelector('label.chip:has(input[name=us]) .chip-value').textContent"
        await_true(page, f"{value} === '{display.raw_events()[-3]['us']:g}'")
        assert page.inner_text("#readout") != ""
        page.keyboard.press("Escape")
        await_true(page, "document.querySelector('#readout').textContent === ''")


def test_the_table_has_the_numbers_behind_the_chart(display: Display, browser: Browser) -> None:
    display.publish(3)
    with opened(browser, address(display)) as page:
        await_event(page, display.seq - 1)
        page.click("#table summary")
        await_true(page, "document.querySelector('#table tbody td') !== null")
        headings = page.locator("#table th").all_inner_texts()
        newest = dict(zip(headings, page.locator("#table tbody tr").first.locator("td").all_inner_texts(), strict=True))
        event = display.raw_events()[-1]
        assert (newest["r (processes)"], newest["free (KiB)"], newest["host"]) == (
            str(event["r"]),
            f"{event['free']:,}",
            "here",
        )


def test_the_path_shows_a_record_at_each_stage(display: Display, browser: Browser) -> None:
    with opened(browser, address(display)) as page:
        for stage, shown in {"input": '"event_id"', "queue": '"offset"', "display": '"seq"'}.items():
            display.publish()
            sample = f"document.querySelector('#path [data-stage={stage}] pre').textContent"
            await_true(page, f"{sample}.includes('{shown}')")
        assert page.locator("#path .step:not(.used)").count() == 2


PARTIAL = (
    '{"window_start":"2026-11-24T13:51:20Z","count":57,"late":0,"sum":3.25,"squares":51.5,"min":-2.125,"max":2.5,'
    '"buckets":46,"holds":["random-numbers-1a2b3c4d 1200 to 1256"]}'
)


def test_the_processing_step_shows_what_the_job_holds_and_changes_with_it(display: Display, browser: Browser) -> None:
    shown = "document.querySelector('#path [data-stage=processing] pre').textContent"
    display.publish_sample("random-numbers", PARTIAL)
    display.publish_sample("monitoring", '{"count":99}')
    with opened(browser, address(display, "demo5")) as page:
        await_true(page, f"{shown}.includes('1200 to 1256')")
        assert [line.strip() for line in page.evaluate(shown).splitlines()[1:3]] == ['"count": 57,', '"late": 0,']
        page.locator("#path").screenshot(path=SHOTS / f"partial-{display.mode}.png")
        display.publish_sample("random-numbers", PARTIAL.replace("57", "58"))
        await_true(page, f"{shown}.includes('\"count\": 58')")


def test_a_bad_record_becomes_a_dead_letter_and_the_page_goes_on(display: Display, browser: Browser) -> None:
    with opened(browser, address(display)) as page:
        await_true(page, "document.body.dataset.state !== 'connecting'")
        display.publish_raw(b'{"event_id": "torn')
        display.publish()
        await_event(page, display.seq - 1)
        await_true(page, "/[1-9]\\d* dead letter/.test(document.querySelector('#troubles').textContent)")


@pytest.mark.parametrize("name", ["demo5", "demo6"])
def test_what_the_windows_demos_draw_is_what_the_store_holds(display: Display, browser: Browser, name: str) -> None:
    now_ns = time.time_ns() // NS * NS
    starts = range(now_ns - 20 * NS, now_ns, NS)
    rows = [window(start_ns, mean=start_ns // NS % 50 / 10, late=start_ns // NS % 3) for start_ns in starts]
    display.write_windows(*rows)
    with opened(browser, address(display, name)) as page:
        await_true(page, f"({DRAWN})('mean').at(-1)?.window_start_ns === {now_ns - 2 * NS}")
        there = f"[...({DRAWN})('mean'), ...({DRAWN})('mean-open')].map((row) => row.window_start_ns)"
        await_true(page, f"{list(starts)}.every((start) => {there}.includes(start))")
        drawn = dict(page.evaluate(LINES))
        bars = page.evaluate("[...document.querySelectorAll('rect.bar')].map((e) => [e.__data__.name, e.__data__.row])")
        for column in ("mean", "min", "max", "p50", "p90", "p99"):
            by_start = {point["window_start_ns"]: point[column] for point in drawn[column] + drawn[f"{column}-open"]}
            assert [by_start[row["window_start_ns"]] for row in rows] == [row[column] for row in rows]
        for column in ("count", "late"):
            by_start = {row["window_start_ns"]: row[column] for of, row in bars if of == column}
            assert [by_start[row["window_start_ns"]] for row in rows] == [row[column] for row in rows]
        page.screenshot(path=SHOTS / f"{name}-{display.mode}.png", full_page=True)


@pytest.mark.parametrize("name", ["demo5", "demo6"])
def test_a_changed_window_is_drawn_within_three_seconds_in_place_of_the_old(
    display: Display, browser: Browser, name: str
) -> None:
    now_ns = time.time_ns() // NS * NS
    display.write_windows(window(now_ns, mean=1.0, count=10))
    with opened(browser, address(display, name)) as page:
        newest = f"({DRAWN})('mean-open').filter((row) => row.window_start_ns === {now_ns})"
        await_true(page, f"{newest}.map((row) => row.mean).join() === '1'")
        took_ms = []
        for mean in range(2, 7):
            display.write_windows(window(now_ns, mean=float(mean), count=10 * mean))
            written_s = time.monotonic()
            await_true(page, f"{newest}.map((row) => row.mean).join() === '{mean}'")
            took_ms.append(1000 * (time.monotonic() - written_s))
        assert statistics.median(took_ms) < LIVE_WITHIN_MS


def test_the_newest_window_looks_different(display: Display, browser: Browser) -> None:
    now_ns = time.time_ns() // NS * NS
    display.write_windows(*(window(now_ns - age_s * NS) for age_s in range(5, -1, -1)))
    with opened(browser, address(display, "demo5")) as page:
        page.wait_for_selector("path.line.open", state="attached")
        dashes = page.evaluate(
            """['mean', 'mean-open'].map((name) =>
                getComputedStyle(document.querySelector(`path.line[data-name='${name}']`)).strokeDasharray)"""
        )
        assert (dashes[0], dashes[1] != dashes[0]) == ("none", True)


def test_seconds_without_numbers_are_a_gap_in_the_line_and_late_ones_are_told(
    display: Display, browser: Browser
) -> None:
    now_ns = time.time_ns() // NS * NS
    ages_s = (90, 89, 88, 84, 83, 82)
    display.write_windows(*(window(now_ns - age_s * NS, late=1000 * (age_s == 90)) for age_s in ages_s))
    with opened(browser, address(display, "demo6")) as page:
        starts = f"({DRAWN})('mean').map((row) => ({now_ns} - row.window_start_ns) / {NS})"
        await_true(page, f"[{','.join(map(str, ages_s[:-1]))}].every((age) => {starts}.includes(age))")
        points, runs = page.evaluate(
            """() => {
                const line = document.querySelector("path.line[data-name='mean']");
                const runs = line.getAttribute("d").split("M").length - 1;
                return [line.__data__.points.map((row) => row.window_start_ns), runs];
            }"""
        )
        gaps = sum(later - earlier != NS for earlier, later in itertools.pairwise(points))
        assert (gaps >= 1, runs) == (True, gaps + 1)
        await_true(
            page, "/1,\\d{3} late numbers in the last 10 minutes/.test(document.querySelector('#troubles').textContent)"
        )


def test_the_stand_in_is_named_on_the_page(display: Display, browser: Browser) -> None:
    with opened(browser, address(display, "demo6")) as page:
        assert "SQLite, standing in for Cassandra" in page.inner_text("#path [data-stage=output]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_is_wider_than_its_window(display: Display, browser: Browser, scheme: Any, width: int) -> None:
    display.publish(3)
    for name in ("", "demo1", "demo5"):
        with opened(browser, address(display, name), color_scheme=scheme) as page:
            page.set_viewport_size({"width": width, "height": 800})
            await_width(page, width)
            page.screenshot(path=SHOTS / f"{name or 'index'}-{scheme}-{width}.png", full_page=True)


def test_many_events_make_few_redraws(display: Display, browser: Browser) -> None:
    """One redraw per animation frame at most, however many events came: 400 events are no 400 redraws."""
    display.publish()
    with opened(browser, address(display)) as page:
        await_event(page, display.seq - 1)
        page.evaluate(
            """() => {
                window.redraws = window.frames_drawn = 0;
                const line = document.querySelector("path.line[data-name='us']");
                new MutationObserver((all) => (redraws += all.length)).observe(line, { attributeFilter: ["d"] });
                const count = () => { frames_drawn++; requestAnimationFrame(count); };
                requestAnimationFrame(count);
            }"""
        )
        for _ in range(40):
            display.publish(10)
        await_event(page, display.seq - 1)
        redraws, frames = page.evaluate("[redraws, frames_drawn]")
        assert 1 <= redraws <= min(frames + 1, 200)
