"""Events over HTTP: what the collector takes, durably, beside the same server and workers that answer without a queue.

    python tests/benchmarks/bench_collector.py [embedded|compose] [WORKERS]

In:   nothing; `wrk` (Debian's package of that name) makes the load on this machine, one thread with 64 connections that are kept.
Out:  a line each for single events and for posts of 1,000 lines: events/s, median and 99th percentile in ms, and the share of the
      bare server's rate. The bare server reads each event as the collector does, and answers. Replies other than 200 are counted
      and end the run, and so is a post of which an event was refused. All of it shares this machine's cores.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from pipeline_input.collector import replies
from pipeline_input.collector.reading import Reader, pieces_of
from pipeline_queue.service_events import event_types
from rich.console import Console
from rich.table import Table
from running_collector import collecting
from running_demo import free_port

CONNECTIONS = 64
POSTING_CONNECTIONS = 8
LINES = 1_000
WARM_S, MEASURE_S = 3, 10
EVENT = {"event_name": "crash_report", "user_id": 888, "timestamp": 1000, "message": "have_fun"}
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()
function response(status, headers, body)
  if status ~= 200 or not body:find('{expected}', 1, true) then wrk.thread:stop() print("REFUSED", status, body) end
end
"""


class Bare:
    """Granian's application of the comparison: it reads events and answers."""

    def __rsgi_init__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self._reader = Reader(event_types(), length_max=2048)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        body = await protocol() if scope.method == "POST" else b""
        if scope.path == "/events":
            status, headers, told = replies.results(None for _ in self._reader.read_each(pieces_of(body)))
        else:
            if body:
                self._reader.read(body)
            status, headers, told = replies.OK
        protocol.response_bytes(status, headers, told)


bare = Bare()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent, over how many connections, and what each reply holds."""

    name: str
    path: str
    body: bytes
    events: int
    connections: int
    expected: str


LOADS = (
    Load(
        name="single events",
        path="/",
        body=json.dumps(EVENT).encode(),
        events=1,
        connections=CONNECTIONS,
        expected='"status_code": 0',
    ),
    Load(
        name=f"posts of {LINES:,} lines",
        path="/events",
        body=b"".join(json.dumps(EVENT | {"user_id": i}).encode() + b"\n" for i in range(LINES)),
        events=LINES,
        connections=POSTING_CONNECTIONS,
        expected='"refused": 0',
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one run of wrk."""

    events_per_s: float
    median_ms: float
    p99_ms: float


def main(where: str = "embedded", workers: str = "1") -> None:
    if not shutil.which("wrk"):
        sys.exit("`wrk` is not here; it makes the load (on Debian: apt-get install wrk)")
    serving = {"embedded": embedded, "compose": composed}[where]
    table = Table(title=f"{where}, {workers} worker(s), durability process", box=None)
    for name in ("load", "events/s", "median ms", "99 % ms", "bare events/s", "of bare"):
        table.add_column(name, justify="right")
    with bare_server(workers) as bare_port:
        beside = {load.name: measured(bare_port, load) for load in LOADS}
    with serving(workers) as port:
        for load in LOADS:
            found, alone = measured(port, load), beside[load.name]
            figures = (found.events_per_s, found.median_ms, found.p99_ms, alone.events_per_s)
            share = f"{found.events_per_s / alone.events_per_s:.0%}"
            table.add_row(load.name, *(f"{figure:,.1f}" for figure in figures), share)
    Console(width=120).print(table)


@contextmanager
def embedded(workers: str) -> Iterator[int]:
    with tempfile.TemporaryDirectory() as folder, collecting(Path(folder), EVENTS_WORKERS=workers) as here:
        yield here.port


@contextmanager
def composed(workers: str) -> Iterator[int]:
    from running_stack import running_stack

    port = free_port()
    with running_stack("kafka", "topics") as stack:
        stack.command("up", "--detach", "--wait", "collector", EVENTS_PORT=str(port), EVENTS_WORKERS=workers)
        try:
            yield port
        finally:
            stack.command("rm", "--force", "--stop", "collector")


def bare_server(workers: str) -> AbstractContextManager[int]:
    """Under Granian's own command, with the collector's options."""
    options = ["--interface", "rsgi", "--http", "1", "--no-ws", "--loop", "uvloop", "--backpressure", "1024"]
    return served(["granian", *options, "--workers", workers, "--log-level", "warning", "bench_collector:bare"])


@contextmanager
def served(module: Sequence[str]) -> Iterator[int]:
    """By `python -m MODULE --port PORT`, once it answers."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", *module, "--port", str(port)], cwd=Path(__file__).parent)
    try:
        for _ in range(200):
            done = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{port}/"], capture_output=True, check=False)
            if done.returncode == 0:
                break
        yield port
    finally:
        process.terminate()
        process.wait(10)


def measured(port: int, load: Load) -> Figures:
    """After a short run that warms caches and connections."""
    with tempfile.TemporaryDirectory() as folder:
        body, script = Path(folder) / "body", Path(folder) / "load.lua"
        body.write_bytes(load.body)
        script.write_text(SCRIPT.format(body=body, expected=load.expected))
        for seconds in (WARM_S, MEASURE_S):
            said = run_wrk(port, load, script, seconds)
    assert "Non-2xx" not in said, said
    assert "REFUSED" not in said, said
    return Figures(
        events_per_s=load.events * float(re.search(r"Requests/sec: +([\d.]+)", said)[1]),
        median_ms=_ms(said, "50%"),
        p99_ms=_ms(said, "99%"),
    )


def run_wrk(port: int, load: Load, script: Path, seconds: int) -> str:
    command = [
        "wrk",
        "--threads",
        "1",
        "--connections",
        str(load.connections),
        "--duration",
        f"{seconds}s",
        "--latency",
    ]
    command += ["--timeout", "10s", "--script", str(script), f"http://127.0.0.1:{port}{load.path}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _ms(said: str, percentile: str) -> float:
    value, unit = re.search(rf"{percentile} +([\d.]+)(us|ms|s)", said).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


if __name__ == "__main__":
    main(*sys.argv[1:])
