"""Which HTTP server the collector stands on: each of them reads an event from a body and answers, without a queue.

    python tests/benchmarks/bench_http_servers.py [WORKERS]

In:   nothing; `wrk` as in bench_collector.py, and uvicorn with httptools (`pip install uvicorn httptools`; the product does not need them).
Out:  a line each for Granian with RSGI, Granian with ASGI, and uvicorn with httptools, all on uvloop: single events a second over
      64 connections, median and 99th percentile in ms, and the share of the first. Each is measured twice, in turn; the better one counts.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from bench_collector import LOADS, measured, served
from pipeline_input.collector import replies
from pipeline_input.collector.reading import Reader
from pipeline_queue.service_events import event_types
from rich.console import Console
from rich.table import Table

GRANIAN = ("granian", "--http", "1", "--no-ws", "--loop", "uvloop", "--backpressure", "1024", "--log-level", "warning")
UVICORN = ("uvicorn", "--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "warning")
SERVERS = {
    "Granian, RSGI": (*GRANIAN, "--interface", "rsgi", "bench_collector:bare"),
    "Granian, ASGI": (*GRANIAN, "--interface", "asginl", "bench_http_servers:asgi"),
    "uvicorn, httptools": (*UVICORN, "bench_http_servers:asgi"),
}
_READER = Reader(event_types(), length_max=2048)


async def asgi(
    scope: Mapping[str, Any],
    receive: Callable[[], Awaitable[Mapping[str, Any]]],
    send: Callable[[Mapping[str, Any]], Awaitable[None]],
) -> None:
    """The bare server of bench_collector.py over ASGI."""
    if scope["type"] == "lifespan":
        return
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    if body:
        _READER.read(body)
    status, headers, told = replies.OK
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    length = (b"content-length", b"%d" % len(told))
    await send({"type": "http.response.start", "status": status, "headers": [*encoded, length]})
    await send({"type": "http.response.body", "body": told})


def main(workers: str = "1") -> None:
    single, *_ = LOADS
    best: dict[str, Any] = {}
    for name, command in [*SERVERS.items()] * 2:
        with served([*command, "--workers", workers]) as port:
            figures = measured(port, single)
        if name not in best or figures.events_per_s > best[name].events_per_s:
            best[name] = figures
    table = Table(title=f"single events, {workers} worker(s), no queue", box=None)
    for column in ("server", "events/s", "median ms", "99 % ms", "of the first"):
        table.add_column(column, justify="right")
    first = next(iter(best.values()))
    for name, found in best.items():
        share = f"{found.events_per_s / first.events_per_s:.0%}"
        table.add_row(name, f"{found.events_per_s:,.0f}", f"{found.median_ms:.1f}", f"{found.p99_ms:.1f}", share)
    Console(width=120).print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
