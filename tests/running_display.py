"""The display alone, over a queue and stores that tests fill themselves, and a wire between it and a browser to cut."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from pipeline_output.stores import create_all, open_store
from pipeline_output.tables import MONITORING_WINDOWS, Table, arrow_schema
from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS as WINDOWS
from pipeline_queue.brokers import Message, open_broker
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_id, event_type
from pipeline_queue.topics import MONITORING, SAMPLES, TOPICS, VMSTAT_COLUMNS
from playwright.sync_api import Browser, Page, sync_playwright
from running_demo import free_port
from waiting import PATIENCE_S, Stopwatch

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NS = 1_000_000_000
BODY = "JSON.stringify({...document.body.dataset, page: undefined})"
NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
"""Chromium says so of any request under way when a network interface comes or goes, the loopback's too."""
NOTE_VIOLATIONS = (
    "window.violations = []; addEventListener('securitypolicyviolation', (e) => violations.push(e.violatedDirective))"
)
CLOCK_HELD_UP = """
  const send = WebSocket.prototype.send;
  window.heldUp = [];
  WebSocket.prototype.send = function (message) {
    const go = () => send.call(this, message);
    window.heldUp && `${message}`.includes('"clock"') ? heldUp.push(go) : go();
  };
"""
CLOCK_LET_GO = "(() => { const held = heldUp; heldUp = null; for (const go of held) go(); })()"
"""A page that is not told the server's time, until it is let go."""


@dataclass
class Display:
    """A display process, its queue and its stores under one folder."""

    folder: Path
    mode: str
    process: subprocess.Popen[str] | None = None
    port: int = 0
    seq: int = 0

    @property
    def queue_url(self) -> str:
        return f"sqlite://{self.folder}/queue"

    @property
    def stores(self) -> Mapping[str, str]:
        return {"disk": f"disk://{self.folder}/disk", "cassandra": f"sqlite://{self.folder}/windows.db"}

    def lay_out(self) -> None:
        with closing(open_broker(self.queue_url)) as broker:
            broker.create(TOPICS.values())
        create_all(self.stores.values())

    def start(self, **changed: str) -> None:
        """Returns once the pages answer; a second start takes the same port. `changed`: what its environment has otherwise."""
        environment = os.environ | {
            "QUEUE_URL": self.queue_url,
            "STORES": ",".join(self.stores.values()),
            "DISPLAY_PORT": str(self.port or free_port()),
            "DISPLAY_ASYNC_MODE": self.mode,
            **changed,
        }
        self.port = int(environment["DISPLAY_PORT"])
        log = (self.folder / "display.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline_display"], env=environment, stderr=log, text=True
        )
        self._await_answer()

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Seconds that it took to end, as a promise counts them."""
        stopwatch = Stopwatch()
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE_S)
        return stopwatch.seconds()

    def log(self) -> str:
        return (self.folder / "display.log").read_text()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return json.load(answer)

    def publish(self, count: int = 1) -> None:
        """So many monitoring events, one a message, made now, each value of its own."""
        made = event_type(MONITORING)
        events = [made(**_monitoring(self.seq + i)) for i in range(count)]
        with closing(open_broker(self.queue_url)) as broker:
            broker.publish("monitoring", blocks(MONITORING, events, events_max=1))
        self.seq += count

    def publish_sample(self, job: str, sample: str) -> None:
        """What a job holds, as the driver says it."""
        made = event_type(SAMPLES)(
            event_id=event_id(job, self.seq),
            time_ns=time.time_ns(),
            producer=job,
            seq=self.seq,
            job=job,
            sample=sample,
        )
        with closing(open_broker(self.queue_url)) as broker:
            broker.publish(SAMPLES.name, blocks(SAMPLES, [made]))

    def publish_raw(self, value: bytes) -> None:
        with closing(open_broker(self.queue_url)) as broker:
            broker.publish("monitoring", [Message(key=b"here", value=value)])

    def raw_events(self) -> list[dict[str, Any]]:
        """What the topic holds, read as plain JSON and by no code of the display; what is no JSON is left out."""
        with closing(open_broker(self.queue_url)) as broker:
            records = broker.read("monitoring", broker.begin_offsets("monitoring"))
        events = []
        for line in (line for record in records for line in record.value.splitlines()):
            with suppress(ValueError):
                events.append(json.loads(line))
        return events

    def write_windows(self, *rows: dict[str, Any]) -> None:
        self.write(WINDOWS, rows)

    def write_host_windows(self, *rows: dict[str, Any]) -> None:
        self.write(MONITORING_WINDOWS, rows)

    def write(self, table: Table, rows: Iterable[dict[str, Any]]) -> None:
        """Into both stores."""
        arriving = pa.Table.from_pylist(list(rows), schema=arrow_schema(table))
        for url in self.stores.values():
            with closing(open_store(url)) as store:
                store.write(table, arriving, time.time_ns() // 1000)

    def _await_answer(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process and self.process.poll() is None:
            with suppress(OSError):
                self.get("/healthz")
                return
            time.sleep(0.05)
        raise AssertionError(f"the display does not answer: {self.log()}")


def _monitoring(seq: int) -> dict[str, Any]:
    columns = VMSTAT_COLUMNS
    values = {
        each.name: (seq * 7 + i * 13) % 97 + (0.25 if each.kind == "float64" else 0) for i, each in enumerate(columns)
    }
    return {
        "event_id": event_id("test", seq),
        "time_ns": time.time_ns(),
        "producer": "test",
        "seq": seq,
        "host": "here",
        **values,
        "free": 8_000_000 + seq,
    }


def window(start_ns: int, *, count: int = 100, late: int = 0, mean: float = 0.5) -> dict[str, Any]:
    """A row of the table, its figures around `mean`."""
    return {
        "window_start_ns": start_ns,
        "window_end_ns": start_ns + NS,
        "count": count,
        "late": late,
        "ids": "test:0-99",
        "mean": mean,
        "standard_deviation": 0.25,
        "sum": count * mean,
        "min": mean - 2,
        "max": mean + 3,
        "p50": mean + 0.125,
        "p90": mean + 1,
        "p99": mean + 2,
        "newest_event_ns": min(time.time_ns(), start_ns + NS - 1),
        "written_ns": time.time_ns(),
    }


def host_window(start_ns: int, host: str, *, busy: float = 20.0, late: int = 0) -> dict[str, Any]:
    """A row of the hosts' table, its window 5 s long, its figures around `busy`, each of them another number."""
    return {
        "window_start_ns": start_ns,
        "window_end_ns": start_ns + 5 * NS,
        "host": host,
        "tumbling": start_ns % (5 * NS) == 0,
        "count": 5,
        "late": late,
        "ids": "test:0-99",
        "busy_mean": busy,
        "busy_standard_deviation": busy / 8,
        "busy_min": busy / 2,
        "busy_max": busy * 2,
        "waiting_mean": busy / 4,
        "free_mean": 4_000_000 + 1000 * busy,
        "free_min": 3_500_000 + 1000 * busy,
        "free_max": 4_500_000 + 1000 * busy,
        "buffers_mean": 250_000 + busy,
        "cache_mean": 2_000_000 + busy,
        "newest_event_ns": min(time.time_ns(), start_ns + 5 * NS - NS // 2),
        "written_ns": time.time_ns(),
    }


@contextmanager
def displaying(folder: Path, mode: str = "eventlet", **changed: str) -> Iterator[Display]:
    """Started with `changed` in its environment."""
    display = Display(folder=folder, mode=mode)
    display.lay_out()
    try:
        display.start(**changed)
        yield display
    finally:
        display.stop(signal.SIGKILL)
        print(display.log())


@contextmanager
def publishing(display: Display, every_s: float) -> Iterator[None]:
    """One monitoring event after the other in the background."""
    stopping = threading.Event()

    def run() -> None:
        while not stopping.wait(every_s):
            display.publish()

    with ThreadPoolExecutor(max_workers=1) as threads:
        running = threads.submit(run)
        try:
            yield
        finally:
            stopping.set()
        running.result()


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, address: str, *, complaints: bool = False, before: str = "", **context: Any
) -> Iterator[Page]:
    """A page, `before` run in it first; it must keep to its policy, nor complain unless `complaints` are expected."""
    with closing(browser.new_context(viewport={"width": 1280, "height": 900}, **context)) as fresh:
        page = fresh.new_page()
        said: list[str] = []
        page.add_init_script(NOTE_VIOLATIONS + ";" + before)
        page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("requestfailed", lambda request: said.append(f"{request.url}: {request.failure}"))
        _load(page, address, said)
        try:
            yield page
        except BaseException:
            print("the page complained:", said)
            raise
        ours = [] if complaints else list(ours_of(said))
        assert (page.evaluate("violations"), ours) == ([], [])


def ours_of(said: list[str]) -> Iterator[str]:
    """What is not Chromium's own doing: a file that it dropped, or a module that it then could not load."""
    dropped = any(NETWORK_CHANGED in each for each in said)
    for each in said:
        if NETWORK_CHANGED not in each and not (dropped and "dynamically imported module" in each):
            yield each


def _load(page: Page, address: str, said: list[str]) -> None:
    """Once more if Chromium dropped a file because a container elsewhere on this machine started just then."""
    for _ in range(3):
        said.clear()
        page.goto(address)
        if not any(NETWORK_CHANGED in each for each in said):
            return


def await_true(page: Page, expression: str, *, meanwhile: Callable[[], object] | None = None) -> None:
    """Until it holds in the page; Playwright's `wait_for_function` evaluates strings, which the policy forbids.

    `meanwhile` is done again twice a second: what a page is only while news come is awaited while they come.
    """
    deadline = time.monotonic() + PATIENCE_S
    do_at = time.monotonic()
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never came true: {expression}; body: {page.evaluate(BODY)}"
        if meanwhile and time.monotonic() >= do_at:
            meanwhile()
            do_at = time.monotonic() + 0.5
        page.wait_for_timeout(20)


def await_width(page: Page, width: int) -> None:
    """Until the page is no wider; a chart is laid out anew in the frame after its window has changed."""
    page.wait_for_timeout(400)
    await_true(page, f"document.documentElement.scrollWidth <= {width}")


@dataclass
class Wire:
    """A TCP connection to the display that can be cut, mended and stalled (bytes to the browser wait)."""

    to_port: int
    pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._whole, self._flowing = threading.Event(), threading.Event()
        self._whole.set()
        self._flowing.set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole.clear()
        for each in (end for pair in self.pairs for end in pair):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.pairs.clear()

    def mend(self) -> None:
        self._whole.set()

    def stall(self) -> None:
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    def _accept(self) -> None:
        while True:
            with suppress(OSError):
                near, _ = self._server.accept()
                if not self._whole.is_set():
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self.to_port))
                self.pairs.append((near, far))
                threading.Thread(target=self._pump, args=(near, far, None), daemon=True).start()
                threading.Thread(target=self._pump, args=(far, near, self._flowing), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, gate: threading.Event | None) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if gate:
                    gate.wait()
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
