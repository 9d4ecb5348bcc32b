"""The whole pipeline as a visitor meets it: time to the first frames, event to frame, memory, processor time at rest.

    python tests/benchmarks/bench_pipeline.py embedded     starts its own demo in a temporary folder
    python tests/benchmarks/bench_pipeline.py compose      starts the stack of docker-compose.yml; its images must be there

Out:   a table with each figure and its limit. Latencies are the page's own: the median and 99th percentile of the last minute, from
       the event's making to the frame that drew it, in a real Chromium with all three pages open. Memory of the embedded mode is the
       PSS of all processes, that of Compose what the engine counts, page cache left out: of each container the most of a minute in
       which LOAD_RATE random numbers a second come in, after the latencies, which are of the usual rate. Durability mode: process.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))
from running_demo import ROOT, Demo, ended, free_port, start
from waiting import until

SETTLE_S = 75
"""A page's figures are of its last minute, and the JVM's compilers want a while."""
REST_S = 30
LOAD_RATE = 3_000
"""Random numbers a second; the stack was kept under fire for an hour with as many."""
LOAD_LOOKS = 6
LOAD_LOOK_EVERY_S = 10
CHROMIUM = {
    "executable_path": "/usr/bin/chromium",
    "args": [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table; `limit` in the same unit."""

    name: str
    value: float
    limit: float
    unit: str


def embedded() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        began = time.monotonic()
        demo = start(Path(folder))
        try:
            pages = {}
            for name, limit_s in (("demo1", 5.0), ("demo5", 20.0)):
                pages[name] = opened(browser, demo.port, name)
                yield Figure(
                    name=f"start to {name}'s first frame", value=time.monotonic() - began, limit=limit_s, unit="s"
                )
            pages["demo6"] = opened(browser, demo.port, "demo6")
            yield from latencies(pages, windows_limit_s=2.5)
            browser.close()
            time.sleep(10)
            yield from at_rest(demo)
        finally:
            ended(demo, 2)


def compose() -> Iterator[Figure]:
    port = free_port()
    environment = os.environ | {"DISPLAY_PORT": str(port), "COMPOSE_PROJECT_NAME": "pipeline-benchmark"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        began = time.monotonic()
        try:
            subprocess.run(
                ["docker", "compose", "up", "--detach", "--wait"],
                cwd=ROOT,
                env=environment,
                check=True,
                capture_output=True,
            )
            yield Figure(name="docker compose up to all healthy", value=time.monotonic() - began, limit=60, unit="s")
            pages = {name: opened(browser, port, name) for name in ("demo1", "demo5", "demo6")}
            yield from latencies(pages, windows_limit_s=1.5)
            yield from under_load(environment)
        finally:
            subprocess.run(
                ["docker", "compose", "down", "--volumes"], cwd=ROOT, env=environment, check=True, capture_output=True
            )


def opened(browser: Browser, port: int, name: str) -> Page:
    """The demo's page once it has drawn something live."""
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{port}/{name}")
    drawn = until(
        lambda: page.evaluate("document.querySelector('#latency-median').dataset.count > 0"), 120, pause_s=0.02
    )
    assert drawn, f"{name} drew nothing live within two minutes"
    return page


def latencies(pages: dict[str, Page], *, windows_limit_s: float) -> Iterator[Figure]:
    """A page in the background is drawn by no one, so each is brought to the front for its own minute."""
    for name, page in pages.items():
        page.bring_to_front()
        page.wait_for_timeout(SETTLE_S * 1000)
        read = page.evaluate("({...document.querySelector('#latency-median').dataset})")
        median_s, p99_s = float(read["ms"]) / 1000, float(read["p99"]) / 1000
        of_queue = name == "demo1"
        yield Figure(
            name=f"{name} event to frame, median",
            value=median_s,
            limit=0.020 if of_queue else windows_limit_s,
            unit="s",
        )
        yield Figure(
            name=f"{name} event to frame, 99 %", value=p99_s, limit=0.100 if of_queue else float("nan"), unit="s"
        )


def at_rest(demo: Demo) -> Iterator[Figure]:
    """Memory and processor time with no page open."""
    processes = demo.processes()
    before = {process.pid: cpu_s(process) for process in processes}
    time.sleep(REST_S)
    used_s = sum(cpu_s(process) - before[process.pid] for process in processes)
    sizes = {}
    for process in demo.processes():
        with contextlib.suppress(psutil.Error):
            name = " ".join(process.cmdline()[3:5]) if "pipeline_cli" in " ".join(process.cmdline()) else process.name()
            sizes[name] = sizes.get(name, 0) + process.memory_full_info().pss
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        yield Figure(name=f"  memory of {name}", value=size / 1e6, limit=float("nan"), unit="MB")
    yield Figure(name="memory of all (PSS)", value=sum(sizes.values()) / 1e6, limit=2000, unit="MB")
    yield Figure(name="processor time at rest", value=used_s / REST_S, limit=1.0, unit="cores")


def cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def under_load(environment: dict[str, str]) -> Iterator[Figure]:
    """The most that each container has while many numbers come in."""
    loaded = environment | {"RANDOM_NUMBERS_RATE": str(LOAD_RATE)}
    producer = ["docker", "compose", "up", "--detach", "--wait", "--no-deps", "input-random-numbers"]
    subprocess.run(producer, cwd=ROOT, env=loaded, check=True, capture_output=True)
    looks = []
    for _ in range(LOAD_LOOKS):
        time.sleep(LOAD_LOOK_EVERY_S)
        looks.append(containers_mb(environment))
    at = f"at {LOAD_RATE:,} numbers/s"
    for name in sorted(looks[-1], key=lambda name: -looks[-1][name]):
        most = max(look.get(name, 0.0) for look in looks)
        yield Figure(name=f"  memory of {name} {at}", value=most, limit=float("nan"), unit="MB")
    together = max(sum(look.values()) for look in looks)
    yield Figure(name=f"memory of all containers {at}", value=together, limit=5500, unit="MB")


def containers_mb(environment: dict[str, str]) -> dict[str, float]:
    """By name."""
    listed = subprocess.run(
        ["docker", "compose", "ps", "-q"], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    command = ["docker", "stats", "--no-stream", "--format", "{{json .}}", *listed.stdout.split()]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {row["Name"]: megabytes(row["MemUsage"].split("/")[0]) for row in map(json.loads, said.splitlines())}


def megabytes(said: str) -> float:
    units = {"GiB": 1073.74, "MiB": 1.04858, "KiB": 0.001024, "B": 1e-6}
    unit = next(unit for unit in units if said.strip().endswith(unit))
    return float(said.strip().removesuffix(unit)) * units[unit]


def main() -> None:
    table = Table("figure", "value", "limit", "unit", box=None)
    for figure in {"embedded": embedded, "compose": compose}[sys.argv[1]]():
        limit = "" if figure.limit != figure.limit else f"{figure.limit:g}"
        table.add_row(
            figure.name, f"{figure.value:.3g}" if figure.value < 100 else f"{figure.value:,.0f}", limit, figure.unit
        )
        print(f"{figure.name}: {figure.value:.4g} {figure.unit}", file=sys.stderr, flush=True)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
