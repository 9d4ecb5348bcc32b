"""The hosts' pages in a real browser: windows of two hosts as both stores hold them, one host at a time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from running_display import NS, Display, await_true, await_width, displaying, host_window, opened

SHOTS = Path(__file__).parents[1] / "screenshots/out"
DRAWN = "(name) => (document.querySelector(`path.line[data-name='${name}']`)?.__data__.points ?? [])"
BANDS = "[...document.querySelectorAll('path.band')].map((e) => [e.dataset.name, e.__data__.points])"
BARS = "[...document.querySelectorAll('rect.bar')].map((e) => e.__data__.row)"
LINES = ("busy_mean", "busy_min", "busy_max", "waiting_mean", "free_mean", "buffers_mean", "cache_mean")


@pytest.fixture(scope="module")
def shared_display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    """For tests that mind no older windows of the same hosts."""
    with displaying(tmp_path_factory.mktemp("shared")) as display:
        yield display


def address(display: Display, name: str = "demo7") -> str:
    return f"http://127.0.0.1:{display.port}/{name}"


def past(host: str, *, seconds: int = 90, busy: float = 20.0) -> list[dict[str, Any]]:
    """A window for each of the last seconds, as the job writes them: the last four end after the newest event."""
    now_ns = time.time_ns() // NS * NS
    starts = range(now_ns - seconds * NS, now_ns, NS)
    return [host_window(start_ns, host, busy=busy + start_ns // NS % 13) for start_ns in starts]


def await_rows(page: Page, rows: list[dict[str, Any]]) -> None:
    """Until these windows, all of one host, are drawn, the last as the newest."""
    newest = f"({DRAWN})('busy_mean-open').at(-1)"
    await_true(
        page, f"{newest}?.host === '{rows[-1]['host']}' && {newest}.window_start_ns === {rows[-1]['window_start_ns']}"
    )
    there = f"new Set([...({DRAWN})('busy_mean'), ...({DRAWN})('busy_mean-open')].map((row) => row.window_start_ns))"
    await_true(page, f"((there) => {[row['window_start_ns'] for row in rows]}.every((at) => there.has(at)))({there})")


def both_parts(page: Page, name: str) -> dict[int, dict[str, Any]]:
    """The drawn rows of a line, complete or not, by their window's start."""
    rows = page.evaluate(f"({DRAWN})('{name}').concat(({DRAWN})('{name}-open')).map((row) => ({{...row}}))")
    return {row["window_start_ns"]: row for row in rows}


def without_frame(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "frame"}


@pytest.mark.parametrize("name", ["demo7", "demo8"])
def test_what_is_drawn_is_what_the_store_holds_of_the_host_shown(display: Display, browser: Browser, name: str) -> None:
    here, there = past("here"), past("there", busy=50.0)
    display.write_host_windows(*here, *there)
    with opened(browser, address(display, name)) as page:
        page.wait_for_selector(".choice:not([hidden]) select")
        for rows in (there, here):
            page.select_option(".choice select", rows[0]["host"])
            await_rows(page, rows)
            for column in LINES:
                drawn = both_parts(page, column)
                assert [drawn[row["window_start_ns"]][column] for row in rows] == [row[column] for row in rows]
            assert {band: len(points) >= 4 for band, points in page.evaluate(BANDS)} == dict.fromkeys(
                ("busy_standard_deviation", "busy_standard_deviation-open", "free_max", "free_max-open"), True
            )
            bars = {row["window_start_ns"]: row["busy_mean"] for row in page.evaluate(BARS)}
            assert bars == {row["window_start_ns"]: row["busy_mean"] for row in rows if row["tumbling"]}
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def test_windows_that_end_after_the_newest_event_are_drawn_open(display: Display, browser: Browser) -> None:
    rows = past("here")
    newest_event_ns = max(row["newest_event_ns"] for row in rows)
    display.write_host_windows(*rows)
    with opened(browser, address(display)) as page:
        await_rows(page, rows)
        complete = [row["window_start_ns"] for row in page.evaluate(f"({DRAWN})('busy_mean')")]
        assert complete == [row["window_start_ns"] for row in rows if row["window_end_ns"] <= newest_event_ns]
        dashes = page.evaluate(
            """['busy_mean', 'busy_mean-open'].map((name) =>
                getComputedStyle(document.querySelector(`path.line[data-name='${name}']`)).strokeDasharray)"""
        )
        assert (dashes[0], dashes[1] != dashes[0]) == ("none", True)


def test_a_line_and_a_bar_lie_where_their_axes_say(shared_display: Display, browser: Browser) -> None:
    """Pixels, read by the axes beside them: a bar is 5 s wide, and the line meets its top in its middle."""
    rows = past("here")
    shared_display.write_host_windows(*rows)
    with opened(browser, address(shared_display)) as page:
        await_rows(page, rows)
        bar, ticks, line = page.evaluate(
            """() => {
                const bars = [...document.querySelectorAll("rect.bar")];
                const bar = bars[Math.floor(bars.length / 2)];
                const y = [...bar.closest("svg").querySelectorAll(".axis.y .tick")];
                const line = document.querySelector("path.line[data-name='busy_mean']");
                const at = line.__data__.points.findIndex((row) => row.window_start_ns === bar.__data__.row.window_start_ns);
                return [
                    { ...Object.fromEntries(["x", "y", "width", "height"].map((name) => [name, Number(bar.getAttribute(name))])), busy: bar.__data__.row.busy_mean },
                    y.map((tick) => [Number(tick.textContent), Number(tick.getAttribute("transform").match(/,([\\d.]+)/)[1])]),
                    line.getAttribute("d").split(/[ML]/)[at + 1].split(",").map(Number),
                ];
            }"""
        )
    (low, low_y), (high, high_y) = ticks[0], ticks[-1]
    read = low + (bar["y"] - low_y) / (high_y - low_y) * (high - low)
    assert read == pytest.approx(bar["busy"], abs=0.3)
    assert (bar["x"] + bar["width"] / 2, bar["y"]) == pytest.approx(tuple(line), abs=0.6)


def test_a_changed_window_is_drawn_in_place_of_the_old(display: Display, browser: Browser) -> None:
    rows = past("here", seconds=20)
    display.write_host_windows(*rows)
    changed = rows[-6] | {"busy_mean": 77.0, "late": 3, "tumbling": True}
    value = f"({DRAWN})('busy_mean').find((row) => row.window_start_ns === {changed['window_start_ns']})?.busy_mean"
    with opened(browser, address(display)) as page:
        await_rows(page, rows)
        display.write_host_windows(changed)
        await_true(page, f"{value} === 77")
        await_true(page, "document.querySelector('#troubles').textContent.includes('3 late events in the last 10')")


def test_seconds_without_events_are_a_gap_and_a_window_of_late_ones_has_no_figures(
    display: Display, browser: Browser
) -> None:
    rows = past("here", seconds=60)
    gone, nothing = rows[10:20], dict.fromkeys(name for name in rows[0] if name.rsplit("_", 1)[-1] in FIGURES)
    late_only = rows[30] | nothing | {"count": 0, "late": 2, "newest_event_ns": None}
    written = [late_only if row is rows[30] else row for row in rows if row not in gone]
    display.write_host_windows(*written)
    with opened(browser, address(display)) as page:
        await_rows(page, written)
        points, runs = page.evaluate(
            """() => {
                const line = document.querySelector("path.line[data-name='busy_mean']");
                return [line.__data__.points.map((row) => row.window_start_ns), line.getAttribute("d").split("M").length - 1];
            }"""
        )
        gaps = sum(later - earlier != NS for earlier, later in itertools.pairwise(points))
        assert (gaps, runs) == (1, 3)


FIGURES = {"mean", "deviation", "min", "max"}


def test_the_crosshair_reads_the_window_below_it_and_the_one_that_tumbles(
    shared_display: Display, browser: Browser
) -> None:
    rows = past("here")
    shared_display.write_host_windows(*rows)
    read = rows[-8]
    covering = next(
        r for r in rows if r["tumbling"] and 0 <= read["window_start_ns"] + 2.5 * NS - r["window_start_ns"] < 5 * NS
    )
    chip = "(name) => document.querySelector(`label.chip:has(input[name='${name}']) .chip-value`).textContent"
    with opened(browser, address(shared_display)) as page:
        await_rows(page, rows)
        page.focus("svg.panel")
        for _ in range(8):
            page.keyboard.press("ArrowLeft")
        await_true(page, "document.querySelector('#readout').textContent.includes('–')")
        told = {
            "busy_mean": f"{read['busy_mean']:g}",
            "busy_mean-tumbling": f"{covering['busy_mean']:g}",
            "cache_mean": f"{read['cache_mean'] / 2**20:.2f}",
        }
        for name, figure in told.items():
            await_true(page, f"({chip})('{name}') === '{figure}'")


def test_the_table_has_the_numbers_behind_the_chart(shared_display: Display, browser: Browser) -> None:
    rows = past("here")
    shared_display.write_host_windows(*rows)
    with opened(browser, address(shared_display, "demo8")) as page:
        await_rows(page, rows)
        page.click("#table summary")
        await_true(page, "document.querySelector('#table tbody td') !== null")
        headings = page.locator("#table th").all_inner_texts()
        newest = dict(zip(headings, page.locator("#table tbody tr").first.locator("td").all_inner_texts(), strict=True))
        told = [newest[name] for name in ("host", "tumbling", "count (events)", "free mean (KiB)")]
        row = rows[-1]
        assert told == ["here", "yes" if row["tumbling"] else "no", "5", f"{row['free_mean']:,.0f}"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_is_not_wider_than_its_window(
    shared_display: Display, browser: Browser, scheme: Any, width: int
) -> None:
    rows = past("here", seconds=150)
    shared_display.write_host_windows(*rows, *past("there"))
    with opened(browser, address(shared_display), color_scheme=scheme) as page:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_selector("rect.bar", state="attached")
        await_width(page, width)
        page.screenshot(path=SHOTS / f"demo7-{scheme}-{width}.png", full_page=True)
