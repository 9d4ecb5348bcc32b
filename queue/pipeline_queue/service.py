"""A service that can be watched: its figures, its health, and its heartbeat on the queue.

In:   counts from the service's loop, and `beat()` each time it goes round.
Out:  `/healthz` (200, or 503 with the reason) and `/metrics` (Prometheus) over HTTP, and each second an event on
      `heartbeats` with the same figures, from a thread with a broker of its own.
The service is healthy from its loop's first beat on, while the loop beat within `stale_s`, and the queue took a heartbeat within it. A loop that hangs on
its dependency does not beat, a queue that is gone takes no heartbeat, and a frozen process does not answer at all.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from pipeline_queue.brokers import open_broker
from pipeline_queue.codec import blocks
from pipeline_queue.errors import QueueError
from pipeline_queue.events import Event, event_id, event_type, new_producer
from pipeline_queue.topics import HEARTBEATS

Stage = Literal["input", "queue", "processing", "output", "display"]
STALE_S = 10.0
"""Longer than any healthy round of a loop here (a micro-batch on a busy machine takes 3 s), shorter than patience."""
HEARTBEAT_S = 1.0
FINISHED = "finished"
"""How `doing` begins in the last heartbeat of a service that had an end and reached it: its silence is no fault."""
LAST_HEARTBEAT_WITHIN_S = 5.0
BROKEN = 70
"""EX_SOFTWARE of sysexits.h: the exit status of a process whose own code failed in a thread."""
LATENCY_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """Who it is and where it is watched."""

    name: str
    stage: Stage
    queue_url: str
    host: str = "127.0.0.1"
    port: int = 0
    stale_s: float = STALE_S


class Service:
    """Figures of one service; every method may be called from any thread. Use as a context manager."""

    def __init__(self, options: ServiceOptions) -> None:
        self.options = options
        self.doing = "starting"
        self._registry = CollectorRegistry()
        self._in = Counter("pipeline_events_in", "Events taken in", registry=self._registry)
        self._out = Counter("pipeline_events_out", "Events handed on", registry=self._registry)
        self._dead = Counter("pipeline_events_dead", "Events sent to the dead letters", registry=self._registry)
        self._late = Counter("pipeline_events_late", "Events that were late", registry=self._registry)
        self._lag = Gauge(
            "pipeline_lag_events", "Events not taken in yet", multiprocess_mode="sum", registry=self._registry
        )
        self._latency = Histogram(
            "pipeline_latency_seconds",
            "From an event's making to its being handed on",
            buckets=LATENCY_BUCKETS_S,
            registry=self._registry,
        )
        self._lock = threading.Lock()
        self._figures = {"events_in": 0, "events_out": 0, "dead": 0, "late": 0, "lag": 0}
        self._latencies_s: list[float] = []
        self._beat_at: float | None = None
        self._heartbeat_at = time.monotonic()
        self._stopping = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._threads: list[threading.Thread] = []

    def beat(self, doing: str | None = None) -> None:
        """The loop went round; `doing` says in a few words what it is at."""
        self._beat_at = time.monotonic()
        if doing is not None:
            self.doing = doing

    def finish(self, result: str) -> None:
        """The service has done what it was there for; its last heartbeat, at the end of the `with`, says so."""
        self.beat(f"{FINISHED}: {result}")

    def count_in(self, events: int) -> None:
        self._add(self._in, "events_in", events)

    def count_out(self, events: int) -> None:
        self._add(self._out, "events_out", events)

    def count_dead(self, events: int) -> None:
        self._add(self._dead, "dead", events)

    def count_late(self, events: int) -> None:
        self._add(self._late, "late", events)

    def set_lag(self, events: int) -> None:
        self._lag.set(events)
        with self._lock:
            self._figures["lag"] = events

    def latency(self, seconds: float) -> None:
        """From an event's making to its being handed on."""
        self._latency.observe(max(0.0, seconds))
        with self._lock:
            self._latencies_s.append(max(0.0, seconds))

    def trouble(self) -> str | None:
        """Why the service is not healthy; None while it is."""
        now = time.monotonic()
        if self._beat_at is None:
            return f"its loop has not gone round yet; it is at: {self.doing}"
        if (silent_s := now - self._beat_at) > self.options.stale_s:
            return f"its loop has not gone round for {silent_s:.0f} s; it was at: {self.doing}"
        if (cut_off_s := now - self._heartbeat_at) > self.options.stale_s:
            return f"the queue at {self.options.queue_url} has taken no heartbeat for {cut_off_s:.0f} s"
        return None

    @property
    def registry(self) -> CollectorRegistry:
        """Where a service adds figures of its own; `/metrics` gives them too."""
        return self._registry

    def metrics(self) -> bytes:
        """The figures in Prometheus' text format."""
        return generate_latest(self._registry)

    @property
    def port(self) -> int:
        """The port on which health and metrics answer, once started."""
        return self._server.server_address[1] if self._server else 0

    def __enter__(self) -> Service:
        server = self._server = ThreadingHTTPServer((self.options.host, self.options.port), _handler(self))
        server.daemon_threads = True
        self._threads = [
            essential_thread(lambda: server.serve_forever(poll_interval=0.2)),
            essential_thread(self._publish_heartbeats),
        ]
        for thread in self._threads:
            thread.start()
        log.info("%s: health and metrics are on http://%s:%d", self.options.name, self.options.host, self.port)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        for thread in self._threads:
            thread.join(timeout=LAST_HEARTBEAT_WITHIN_S if self._has_finished else 2.0)

    @property
    def _has_finished(self) -> bool:
        return self.doing.startswith(FINISHED)

    def _add(self, counter: Counter, name: str, events: int) -> None:
        counter.inc(events)
        with self._lock:
            self._figures[name] += events

    def _publish_heartbeats(self) -> None:
        producer = new_producer(self.options.name)
        broker, silent, has_ended = None, False, False
        seq = 0
        while not has_ended:
            has_ended = self._stopping.wait(HEARTBEAT_S)
            if has_ended and not self._has_finished:
                break
            try:
                broker = broker or open_broker(self.options.queue_url)
                broker.publish(HEARTBEATS.name, blocks(HEARTBEATS, [self._heartbeat(producer, seq)]))
                self._heartbeat_at, silent = time.monotonic(), False
                seq += 1
            except QueueError as error:
                if not silent:
                    log.warning("no heartbeat: %s", error)
                silent = True
        if broker is not None:
            broker.close()

    def _heartbeat(self, producer: str, seq: int) -> Event:
        with self._lock:
            figures, latencies_s = dict(self._figures), self._latencies_s
            self._latencies_s = []
        return event_type(HEARTBEATS)(
            event_id=event_id(producer, seq),
            time_ns=time.time_ns(),
            producer=producer,
            seq=seq,
            service=self.options.name,
            stage=self.options.stage,
            healthy=self.trouble() is None,
            latency_s=median(latencies_s) if latencies_s else 0.0,
            doing=self.doing,
            **figures,
        )


def essential_thread(target: Callable[[], None]) -> threading.Thread:
    """A daemon thread without which its process is of no use: should it fail, the process ends and is started again."""

    def run() -> None:
        try:
            target()
        except Exception:
            log.critical("an essential thread failed, so this process ends", exc_info=True)
            os._exit(BROKEN)

    return threading.Thread(target=run, daemon=True)


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/healthz":
                trouble = service.trouble()
                body = {"service": service.options.name, "healthy": trouble is None, "doing": service.doing}
                self._answer(
                    503 if trouble else 200, json.dumps(body | {"trouble": trouble}).encode(), "application/json"
                )
            elif self.path == "/metrics":
                self._answer(200, service.metrics(), CONTENT_TYPE_LATEST)
            else:
                self._answer(404, b"there are /healthz and /metrics\n", "text/plain; charset=utf-8")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's name)
            """A probe every few seconds is no news."""

    return Handler
