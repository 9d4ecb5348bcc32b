"""Pages that come late, are cut off, stop reading or wait for data: nothing missing, nothing twice, and they say so."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import socketio
from pipeline_queue.brokers import open_broker
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.topics import HEARTBEATS
from playwright.sync_api import Browser, Page
from reading_frames import rows_in
from running_display import (
    NS,
    Display,
    Wire,
    await_true,
    displaying,
    opened,
    publishing,
    window,
)
from waiting import PATIENCE_S, until

SHOTS = Path(__file__).parents[1] / "screenshots/out"
SEQS = "(document.querySelector(\"path.line[data-name='us']\")?.__data__.points ?? []).map((point) => point.seq)"


@pytest.fixture(params=["eventlet", "threading"])
def display(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Display]:
    with displaying(tmp_path, request.param) as display:
        yield display


@pytest.fixture
def one_display(tmp_path: Path) -> Iterator[Display]:
    """In the default mode, for what does not depend on it."""
    with displaying(tmp_path) as display:
        yield display


@pytest.fixture(scope="module")
def shared_display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    """For tests that only add to it, each under names of its own."""
    with displaying(tmp_path_factory.mktemp("shared")) as display:
        yield display


def address(port: int, name: str = "demo1") -> str:
    return f"http://127.0.0.1:{port}/{name}"


def await_state(page: Page, state: str) -> None:
    await_true(page, f"document.body.dataset.state === '{state}'")


def await_seq(page: Page, seq: int) -> None:
    await_true(page, f"{SEQS}.at(-1) === {seq}")


def drawn(page: Page) -> tuple[list[int], str]:
    """The numbers of the events drawn, and how often a frame did not follow the one before it."""
    return page.evaluate(SEQS), page.evaluate("document.body.dataset.breaks")


def test_a_page_opened_late_has_the_past_and_the_present_without_gap_or_repetition(
    display: Display, browser: Browser
) -> None:
    display.publish(300)
    with publishing(display, every_s=0.01):
        time.sleep(0.3)
        with opened(browser, address(display.port)) as page:
            await_true(page, f"{SEQS}.length > 400")
    # The publisher has stopped; what it made last must arrive as well.
    with opened(browser, address(display.port)) as page:
        await_seq(page, display.seq - 1)
        assert drawn(page) == (list(range(display.seq)), "0")


def test_a_page_that_was_cut_off_gets_what_it_missed_without_gap_or_repetition(
    display: Display, browser: Browser
) -> None:
    wire = Wire(display.port)
    with opened(browser, address(wire.port), complaints=True) as page:
        with publishing(display, every_s=0.02):
            await_state(page, "live")
            for _ in range(3):
                page.wait_for_timeout(400)
                wire.cut()
                await_state(page, "lost")
                page.wait_for_timeout(300)
                wire.mend()
                await_state(page, "live")
        await_seq(page, display.seq - 1)
        seqs, breaks = drawn(page)
        assert (seqs, breaks) == (list(range(len(seqs))), "0")


def test_a_page_outlives_a_restart_of_the_server_and_starts_over(display: Display, browser: Browser) -> None:
    display.publish(10)
    with opened(browser, address(display.port), complaints=True) as page:
        await_seq(page, 9)
        before = page.evaluate("document.body.dataset.epoch")
        display.stop()
        await_state(page, "lost")
        display.publish(5)
        display.start()
        await_seq(page, 14)
        assert drawn(page) == (list(range(15)), "0")
        assert page.evaluate("document.body.dataset.epoch") != before


def test_a_browser_that_stops_reading_slows_no_other_and_is_caught_up_later(display: Display, browser: Browser) -> None:
    wire = Wire(display.port)
    with opened(browser, address(wire.port)) as slow, opened(browser, address(display.port)) as quick:
        display.publish()
        await_seq(slow, 0)
        wire.stall()
        with publishing(display, every_s=0.01):
            quick.wait_for_timeout(1500)
        await_seq(quick, display.seq - 1)
        assert slow.evaluate(SEQS)[-1] < display.seq - 1
        wire.flow()
        await_seq(slow, display.seq - 1)
        assert (drawn(slow), drawn(quick)) == ((list(range(display.seq)), "0"),) * 2


class Follower:
    """A page without a screen: it follows demo 1 and draws only when told to."""

    def __init__(self, display: Display) -> None:
        self.rows: list[int] = []
        self.messages = 0
        self.client = socketio.Client()
        self.client.on("news", self._news)
        self.client.connect(f"http://127.0.0.1:{display.port}", transports=["websocket"])
        self.client.call("follow", [{"feed": "demo1"}])

    def draws_up_to(self, seq: int) -> bool:
        """Draw what is there; whether the event of that number is among it."""
        self.client.emit("drawn")
        return self.rows[-1:] == [seq]

    def _news(self, message: dict[str, Any]) -> None:
        self.messages += 1
        self.rows += [row["seq"] for part in message["parts"] for frame in part["frames"] for row in rows_in(frame)]


def test_who_does_not_draw_is_sent_no_more_than_four_messages_then_caught_up(display: Display) -> None:
    follower, other = Follower(display), Follower(display)
    while follower.messages < 4:
        before = follower.messages
        display.publish()
        assert until(lambda before=before: follower.messages > before, PATIENCE_S, pause_s=0.01)
    for _ in range(16):
        display.publish()
        assert until(lambda: other.draws_up_to(display.seq - 1), PATIENCE_S, pause_s=0.01)
    sent_without_drawing = follower.messages
    assert until(lambda: follower.draws_up_to(display.seq - 1), PATIENCE_S, pause_s=0.05)
    for each in (follower, other):
        each.client.disconnect()
    assert (sent_without_drawing, follower.rows) == (4, list(range(display.seq)))


def test_nonsense_from_a_page_changes_nothing(display: Display, browser: Browser) -> None:
    follower = Follower(display)
    answers = [follower.client.call("follow", wish) for wish in (None, 7, [{"seq": "x"}], [{"feed": "nonsense"}])]
    follower.client.disconnect()
    with opened(browser, address(display.port)) as page:
        display.publish()
        await_seq(page, display.seq - 1)
    assert (answers, display.get("/healthz")["healthy"]) == ([None, None, None, []], True)


def test_each_state_has_its_own_words_and_look(one_display: Display, browser: Browser) -> None:
    display, wire = one_display, Wire(one_display.port)
    seen: dict[str, tuple[str, str, str]] = {}

    def look(page: Page, state: str) -> None:
        await_state(page, state)
        colour = "getComputedStyle(document.querySelector('.badge .dot'))"
        shape = f"{colour}.borderRadius + {colour}.transform + {colour}.backgroundColor + {colour}.animationName"
        texts = "...['#state-word', '#state-text'].map((id) => document.querySelector(id).textContent)"
        found, *said = page.evaluate(f"[document.body.dataset.state, {texts}, {shape}]")
        assert found == state
        seen[state] = tuple(said)
        page.screenshot(path=SHOTS / f"state-{state}.png")

    wire.stall()
    with opened(browser, address(display.port), complaints=True) as page:
        page.route("**/socket.io/**", lambda route: route.abort())
        page.route_web_socket("**/socket.io/**", lambda socket: None)
        page.reload()
        look(page, "connecting")
    wire.flow()
    with opened(browser, address(wire.port), complaints=True) as page:
        look(page, "no-data")
        with publishing(display, every_s=0.2):
            look(page, "live")
        look(page, "stale")
        with publishing(display, every_s=0.2):
            await_state(page, "live")
            wire.cut()
            look(page, "lost")
    assert [len({look[i] for look in seen.values()}) for i in range(3)] == [5, 5, 5]


NOTE_STATES = """
  window.states = [];
  new MutationObserver(() => states.push(document.body?.dataset.state))
    .observe(document, {subtree: true, attributes: true, attributeFilter: ["data-state"]});
"""


def test_data_that_is_old_when_the_page_opens_is_not_taken_for_live(shared_display: Display, browser: Browser) -> None:
    shared_display.publish()
    with opened(browser, address(shared_display.port)) as page:
        await_seq(page, shared_display.seq - 1)
    time.sleep(3.5)
    with opened(browser, address(shared_display.port), before=NOTE_STATES) as page:
        await_seq(page, shared_display.seq - 1)
        await_state(page, "stale")
        assert "live" not in page.evaluate("states")


def test_a_store_that_is_away_is_told_and_the_page_goes_on_when_it_is_back(
    one_display: Display, browser: Browser
) -> None:
    display, now_ns = one_display, time.time_ns() // NS * NS
    display.write_windows(window(now_ns, mean=1.0))
    disk, aside = display.folder / "disk", display.folder / "aside"
    newest = "document.querySelector(\"path.line[data-name='mean-open']\")?.__data__.points.at(-1)?.mean"
    with opened(browser, address(display.port, "demo5")) as page:
        await_true(page, f"{newest} === 1")
        disk.rename(aside)
        await_true(page, "document.querySelector('#state-text').textContent.includes('disk')")
        assert page.evaluate("document.body.dataset.state") == "stale"
        aside.rename(disk)
        display.write_windows(window(now_ns + NS, mean=2.0))
        await_true(page, f"{newest} === 2")
        counts = itertools.count(101)
        await_true(
            page,
            "document.body.dataset.state === 'live'",
            meanwhile=lambda: display.write_windows(window(now_ns + NS, mean=2.0, count=next(counts))),
        )


def test_a_slow_store_does_not_hold_up_the_queue_s_page(display: Display, browser: Browser) -> None:
    """A FIFO in place of a window file blocks whoever opens it; the pages must not notice."""
    bucket = display.folder / "disk/random_numbers_windows"
    display.write_windows(window(time.time_ns() // NS * NS))
    for file in list(bucket.glob("*.parquet")):
        file.unlink()
        os.mkfifo(file)
    time.sleep(0.5)
    with opened(browser, address(display.port)) as page:
        display.publish()
        await_seq(page, display.seq - 1)


def test_the_index_shows_who_answers_and_who_has_stopped(shared_display: Display, browser: Browser) -> None:
    options = ServiceOptions(name="input-monitoring", stage="input", queue_url=shared_display.queue_url)
    health = "document.querySelector('[data-service=input-monitoring]')?.dataset.health"
    with opened(browser, address(shared_display.port, "")) as page:
        with Service(options) as service:
            service.beat("measuring")
            await_true(page, f"{health} === 'up'")
            await_true(page, "document.querySelector('#stages [data-stage=display]').dataset.health === 'up'")
        await_true(page, f"{health} === 'gone'")
        assert page.get_attribute("#stages [data-stage=input]", "data-health") == "gone"
        page.screenshot(path=SHOTS / "index-one-gone.png", full_page=True)


def test_a_loader_among_the_stores_does_not_hide_them(display: Display, browser: Browser) -> None:
    display.write_windows(window(time.time_ns() // NS * NS))
    options = ServiceOptions(name="loader", stage="output", queue_url=display.queue_url)
    card = "document.querySelector('#stages [data-stage=output]')"
    with opened(browser, address(display.port, "")) as page:
        with Service(options) as service:
            service.beat("waiting for the next load")
            await_true(page, "document.querySelector('[data-service=loader]')?.dataset.health === 'up'")
            await_true(page, f"{card}.dataset.health === 'up' && {card}.textContent.includes('rows')")
        await_true(page, f"{card}.dataset.health === 'gone'")


def test_a_page_opened_after_a_service_has_stopped_still_shows_it(shared_display: Display, browser: Browser) -> None:
    options = ServiceOptions(name="input-stopped", stage="input", queue_url=shared_display.queue_url)
    with Service(options) as service:
        service.beat("measuring")
        assert until(lambda: has_beaten(shared_display, "input-stopped"), PATIENCE_S)
    time.sleep(5)
    with opened(browser, address(shared_display.port, "")) as page:
        await_true(page, "document.querySelector('[data-service=input-stopped]')?.dataset.health === 'gone'")


def has_beaten(display: Display, service: str) -> bool:
    with closing(open_broker(display.queue_url)) as broker:
        records = broker.read(HEARTBEATS.name, broker.begin_offsets(HEARTBEATS.name))
    return any(f'"{service}"'.encode() in record.value for record in records)


def test_the_index_counts_dead_letters(shared_display: Display, browser: Browser) -> None:
    shared_display.publish_raw(b"{torn\n\xff\xfe")
    with opened(browser, address(shared_display.port, "")) as page:
        await_true(page, "document.querySelector('#letters').textContent === '2 records'")


def test_sigterm_ends_it_within_two_seconds_with_a_page_open_and_it_has_said_nothing_odd(
    display: Display, browser: Browser
) -> None:
    with opened(browser, address(display.port), complaints=True) as page:
        display.publish()
        await_seq(page, 0)
        seconds = display.stop(signal.SIGTERM)
    lines = display.log().splitlines()
    assert (seconds < 2, [line for line in lines if "the pages are at" not in line]) == (True, [])


def test_a_taken_port_is_refused_with_the_name_of_its_holder(shared_display: Display) -> None:
    environment = os.environ | {"DISPLAY_PORT": str(shared_display.port), "QUEUE_URL": shared_display.queue_url}
    done = subprocess.run(
        [sys.executable, "-m", "pipeline_display"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert shared_display.process
    assert (
        done.returncode,
        done.stderr.startswith(f"port {shared_display.port} on 127.0.0.1 is taken by process "),
    ) == (
        1,
        True,
    )
    assert f"{shared_display.process.pid}, `{sys.executable} -m pipeline_display`" in done.stderr


def test_a_service_that_had_an_end_and_reached_it_is_finished_and_not_gone(
    one_display: Display, browser: Browser
) -> None:
    once = Service(ServiceOptions(name="input-once", stage="input", queue_url=one_display.queue_url))
    with once:
        once.finish("all of it is there")
    with opened(browser, address(one_display.port, "")) as page:
        await_true(page, "document.querySelector('[data-service=input-once]')?.dataset.health === 'done'")
        page.wait_for_timeout(6_000)  # longer than a service may be silent
        assert page.inner_text("[data-service=input-once] .health-cell") == "finished"
        assert page.get_attribute("#stages [data-stage=input]", "data-health") == "done"


def test_the_health_check_fails_when_the_queue_is_gone(one_display: Display) -> None:
    (one_display.folder / "queue").rename(one_display.folder / "queue-away")
    assert until(lambda: health_of(one_display) is not None, PATIENCE_S)


def health_of(display: Display) -> str | None:
    import json
    import urllib.error

    try:
        return display.get("/healthz")["trouble"]
    except urllib.error.HTTPError as answer:
        return json.load(answer)["trouble"]
