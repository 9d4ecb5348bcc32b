"""The census pages in a real browser: what is drawn is what the source files say, year by year and state by state."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import census_rows
import pytest
from pipeline_output.tables import TABLES
from pipeline_queue.brokers import open_broker
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_id, event_type
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.topics import TOPICS
from playwright.sync_api import Browser, Page
from running_display import NS, Display, await_true, await_width, displaying, opened

SHOTS = Path(__file__).parents[1] / "screenshots/out"
LONG_AGO_NS = 1_700_000_000 * NS
NAMES = ("demo3", "demo4")
BARS = "[...document.querySelectorAll('rect.bar')].map((e) => e.__data__.row)"
STATES = "[...document.querySelectorAll('path.state')].map((e) => [e.__data__.name, e.__data__.row])"
LINE = "(name) => document.querySelector(`path.line[data-name='${name}']`)?.__data__.points ?? []"
YEAR = "document.querySelector('#year').value"
PAUSED_FROM_2002_ON = """
  () => new Promise((resolve) => {
    const [year, play] = ["#year", "#play"].map((id) => document.querySelector(id));
    const look = () => {
      if (year.value < "2002") return setTimeout(look, 20);
      const word = play.textContent;
      play.click();
      resolve([year.value, word]);
    };
    look();
  })
"""
"""Within the page: a year is shown for half a second, and who looks from outside may miss it."""
STILL = {"reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict[str, Any]]]:
    """What a job computed long ago."""
    return census_rows.tables(LONG_AGO_NS)


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory, rows: dict[str, Any]) -> Iterator[Display]:
    with displaying(tmp_path_factory.mktemp("census")) as display:
        fill(display, rows)
        yield display


@pytest.fixture
def empty_display(tmp_path: Path) -> Iterator[Display]:
    with displaying(tmp_path) as display:
        yield display


def fill(display: Display, tables: dict[str, list[dict[str, Any]]]) -> None:
    for name, found in tables.items():
        display.write(TABLES[name], found)


def address(display: Display, name: str = "demo4") -> str:
    return f"http://127.0.0.1:{display.port}/{name}"


def await_bars(page: Page, year: int) -> None:
    await_true(page, f"{BARS}.length === 202 && {BARS}.every((row) => row.year === {year})")


def await_state(page: Page, state: str) -> None:
    await_true(page, f"document.body.dataset.state === '{state}'")


def in_file(year: int, rows: dict[str, Any]) -> dict[tuple[str, int], int]:
    return {(row["sex"], row["age"]): row["people"] for row in rows["census_population"] if row["year"] == year}


def drawn(page: Page) -> dict[tuple[str, int], int]:
    return {(row["sex"], row["age"]): row["people"] for row in page.evaluate(BARS)}


@pytest.mark.parametrize("name", NAMES)
def test_the_bars_of_the_first_and_the_last_year_are_the_file_s(
    display: Display, browser: Browser, rows: dict[str, Any], name: str
) -> None:
    with opened(browser, address(display, name)) as page:
        await_bars(page, 2000)
        first = drawn(page)
        page.focus("#year")
        page.keyboard.press("End")
        await_bars(page, 2020)
        assert (first, drawn(page)) == (in_file(2000, rows), in_file(2020, rows))
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def test_a_bar_is_as_long_as_its_axis_says(display: Display, browser: Browser) -> None:
    """The picture itself: the pixels of bars, read by the axis below them, give the people back."""
    with opened(browser, address(display), **STILL) as page:
        await_bars(page, 2000)
        ticks, bars = page.evaluate(
            """() => [
                [...document.querySelectorAll(".pyramid .axis.x .tick")].map((t) => [t.textContent, t.getAttribute("transform")]),
                [...document.querySelectorAll("rect.bar")].map((e) => [e.__data__.row, +e.getAttribute("x"), +e.getAttribute("width")]),
            ]"""
        )
    at = {text: float(transform.split("(")[1].split(",")[0]) for text, transform in ticks}
    per_pixel = 2_000_000 / (max(at.values()) - at["0"])
    assert ticks[-1][0] == "2,000"
    wrong = [
        row
        for row, x, width in bars
        if abs(width * per_pixel - row["people"]) > 2_000
        or abs((x if row["sex"] == "female" else x + width) - at["0"]) > 1
    ]
    assert wrong == []


def test_the_mean_ages_are_those_of_the_file(display: Display, browser: Browser, rows: dict[str, Any]) -> None:
    with opened(browser, address(display)) as page:
        await_bars(page, 2000)
        await_true(page, f"({LINE})('all').length === 21")
        for sex in ("female", "male", "all"):
            expected = [row for row in rows["census_age"] if row["sex"] == sex]
            found = page.evaluate(LINE, sex)
            assert [row["year"] for row in found] == list(range(2000, 2021))
            for column in ("people", "mean", "standard_deviation"):
                assert [row[column] for row in found] == pytest.approx([row[column] for row in expected], rel=1e-12)
        bands = page.evaluate("[...document.querySelectorAll('path.band')].map((e) => e.dataset.name)")
        marked = page.evaluate(
            "[...document.querySelectorAll('line.mean')].map((e) => [e.dataset.name, e.__data__.row.year])"
        )
        assert (sorted(bands), sorted(marked)) == (
            ["all-band", "female-band", "male-band"],
            [["female", 2000], ["male", 2000]],
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_map_has_the_incomes_of_every_state(
    display: Display, browser: Browser, rows: dict[str, Any], name: str
) -> None:
    with opened(browser, address(display, name)) as page:
        await_true(page, f"{STATES}.length > 0")
        found = dict(page.evaluate(STATES))
        expected = {row["place"]: row for row in rows["census_income"] if row["kind"] == "state"}
        assert set(found) == set(expected)
        for state in ("California", "District of Columbia", "Puerto Rico"):
            for column in ("households", "mean", "standard_deviation"):
                assert found[state][column] == pytest.approx(expected[state][column], rel=1e-12)


def test_richer_states_have_no_fainter_colour(display: Display, browser: Browser) -> None:
    with opened(browser, address(display)) as page:
        await_true(page, f"{STATES}.length > 0")
        levels = page.evaluate(
            """[...document.querySelectorAll("path.state")].map((e) => [e.__data__.row.mean, e.getAttribute("class")])"""
        )
    ordered = [level for _, level in sorted(levels)]
    assert (ordered == sorted(ordered), ordered[0], ordered[-1]) == (True, "state m0", "state m6")


def test_a_state_is_read_by_keyboard_and_by_pointer(display: Display, browser: Browser) -> None:
    said = "[...document.querySelectorAll('.said')].at(-1).textContent"
    with opened(browser, address(display)) as page:
        await_true(page, f"{STATES}.length > 0")
        page.focus("path.state[tabindex='0']")
        await_true(page, f"{said}.startsWith('Alabama: mean 59,288 USD')")
        page.keyboard.press("ArrowRight")
        await_true(page, f"{said}.startsWith('Alaska: mean 87,550 USD')")
        page.keyboard.press("End")
        await_true(page, f"{said}.startsWith('Wyoming: ')")
        page.hover("circle.state")
        await_true(page, f"{said}.startsWith('District of Columbia: ') && {said}.includes('268,015 households')")


def test_play_goes_through_the_years_and_ends_at_the_last(display: Display, browser: Browser) -> None:
    with opened(browser, address(display)) as page:
        await_bars(page, 2000)
        page.wait_for_timeout(700)
        assert page.evaluate(YEAR) == "2000", "nothing plays by itself"
        page.click("#play")
        paused, word = page.evaluate(PAUSED_FROM_2002_ON)
        assert (word, 2002 <= int(paused) < 2020) == ("Pause", True)
        await_bars(page, int(paused))
        page.wait_for_timeout(700)
        assert (page.evaluate(YEAR), page.inner_text("#play")) == (paused, "Play")
        page.locator("#year").fill("2019")
        page.click("#play")
        await_bars(page, 2020)
        await_true(page, "document.querySelector('#play').textContent === 'Play'")
        page.click("#play")
        await_true(page, f"{YEAR} < '2020' && {BARS}[0].year < 2020")


@pytest.mark.parametrize(("motion", "glides"), [("reduce", False), ("no-preference", True)])
def test_bars_glide_only_where_motion_is_welcome(display: Display, browser: Browser, motion: Any, glides: bool) -> None:
    with opened(browser, address(display), reduced_motion=motion) as page:
        await_bars(page, 2000)
        lasts = page.evaluate("getComputedStyle(document.querySelector('rect.bar')).transitionDuration")
        assert any(float(each.strip().removesuffix("s")) for each in lasts.split(",")) is glides


def test_a_year_is_picked_in_the_chart_of_ages_by_pointer_and_by_keyboard(display: Display, browser: Browser) -> None:
    with opened(browser, address(display)) as page:
        await_bars(page, 2000)
        await_true(page, f"({LINE})('all').length === 21 && {STATES}.length > 0")
        x = page.evaluate(
            """() => {
                const tick = [...document.querySelectorAll(".ages .axis.x .tick")].find((t) => t.textContent === "2010");
                return +tick.getAttribute("transform").match(/[\\d.]+/)[0];
            }"""
        )
        page.click("svg.ages", position={"x": x, "y": 200})
        await_bars(page, 2010)
        page.focus("svg.ages")
        page.keyboard.press("ArrowLeft")
        await_bars(page, 2009)
        assert page.evaluate(YEAR) == "2009"


def test_the_table_shows_the_chosen_table_and_year(display: Display, browser: Browser, rows: dict[str, Any]) -> None:
    lines = "[...document.querySelectorAll('#table tbody tr')].map((tr) => [...tr.cells].map((td) => td.textContent))"
    with opened(browser, address(display)) as page:
        await_bars(page, 2000)
        page.click("#table summary")
        page.locator("#year").fill("2007")
        await_bars(page, 2007)
        await_true(page, f"{lines}.length === 202")
        assert page.evaluate(lines)[0][:4] == ["2007", "female", "0", f"{in_file(2007, rows)['female', 0]:,}"]
        page.get_by_text("census age", exact=True).click()
        await_true(page, f"{lines}.length === 63")
        page.get_by_text("census income", exact=True).click()
        await_true(page, f"{lines}.length === 57")
        assert page.locator("#table th").all_inner_texts()[-4:] == [
            "households", "mean (USD)", "standard deviation (USD)", "written",
        ]  # fmt: skip


def test_figures_that_are_old_are_not_stale_and_have_no_latency(display: Display, browser: Browser) -> None:
    with opened(browser, address(display)) as page:
        await_bars(page, 2000)
        page.wait_for_timeout(1000)
        await_state(page, "live")
        await_true(page, "document.querySelector('#rows').textContent === '4,362'")
        assert [page.inner_text(each) for each in ("#rows", "#latency-median", "#latency-count")] == [
            "4,362",
            "–",
            "the job was not run since this page was opened",
        ]
        assert "2023" in page.inner_text("#newest")


def test_a_page_that_waits_for_the_job_draws_what_it_computes_and_tells_how_long_that_took(
    empty_display: Display, browser: Browser
) -> None:
    with opened(browser, address(empty_display, "demo3")) as page:
        await_state(page, "no-data")
        assert "when the job census has run" in page.inner_text("#state-text")
        began_s = time.monotonic()
        fill(empty_display, census_rows.tables())
        await_bars(page, 2000)
        await_true(page, f"{STATES}.length > 0")
        await_state(page, "live")
        await_true(page, "document.querySelector('#latency-median').dataset.count >= 1")
        told_ms = float(page.evaluate("document.querySelector('#latency-median').dataset.ms"))
        took_ms = 1000 * (time.monotonic() - began_s)
        assert (0 < told_ms < took_ms, page.evaluate("document.body.dataset.breaks")) == (True, "0")
        assert page.inner_text("#latency-count") == "of the last run"


def test_a_store_that_is_away_is_told_and_the_page_goes_on_when_it_is_back(
    empty_display: Display, browser: Browser
) -> None:
    fill(empty_display, census_rows.tables())
    disk, aside = empty_display.folder / "disk", empty_display.folder / "aside"
    with opened(browser, address(empty_display)) as page, opened(browser, address(empty_display, "demo3")) as other:
        await_bars(page, 2000)
        await_bars(other, 2000)
        disk.rename(aside)
        await_state(page, "stale")
        assert "disk" in (page.text_content("#state-text") or "")
        aside.rename(disk)
        await_state(page, "live")
        assert other.evaluate("document.body.dataset.state") == "live"
        assert len(page.evaluate(BARS)) == 202


def test_the_path_shows_a_record_at_each_stage(display: Display, browser: Browser) -> None:
    topic = TOPICS["census-population"]
    own = {"year": 2000, "sex": "female", "age": 7, "people": 1}
    sent = event_type(topic)(event_id=event_id("test", 0), time_ns=time.time_ns(), producer="test", seq=0, **own)
    open_broker(display.queue_url).publish(topic.name, blocks(topic, [sent]))
    shown = {
        "input": '"age": 7',
        "queue": '"offset"',
        "processing": '"service": "processing"',
        "output": '"written_ns"',
        "display": '"rows"',
    }
    computing, another = (
        ServiceOptions(name=name, stage="processing", queue_url=display.queue_url) for name in ("processing", "tasks")
    )
    with opened(browser, address(display)) as page, Service(another) as tasks, Service(computing) as processing:
        tasks.beat("answering")
        processing.beat("computing")
        for stage, text in shown.items():
            await_true(page, f"document.querySelector('#path [data-stage={stage}] pre').textContent.includes('{text}')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 720, 400])
def test_the_page_is_no_wider_than_its_window(display: Display, browser: Browser, scheme: Any, width: int) -> None:
    with opened(browser, address(display), color_scheme=scheme) as page:
        page.set_viewport_size({"width": width, "height": 800})
        await_bars(page, 2000)
        await_true(page, f"{STATES}.length > 0")
        await_width(page, width)
        page.screenshot(path=SHOTS / f"demo4-{scheme}-{width}.png", full_page=True)
