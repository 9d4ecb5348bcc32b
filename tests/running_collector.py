"""The collector in a process of its own, over a queue in a folder, as tests and benchmarks start it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from pipeline_queue.brokers import open_broker
from pipeline_queue.catalog import topics
from running_demo import free_port
from waiting import PATIENCE_S, until

COMMAND = (sys.executable, "-m", "pipeline_cli", "collect")


@dataclass
class Collector:
    """A running one."""

    process: subprocess.Popen[bytes]
    port: int
    queue_url: str
    log: Path

    def ask(self, method: str, path: str, body: bytes | Any = b"", **headers: str) -> tuple[int, Any]:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body=sent, headers=headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def figures(self) -> dict[str, float]:
        """What `/metrics` says, by name and labels."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, value in (each.rsplit(" ", 1) for each in lines if each[0] != "#")}

    def events(self, name: str = "crash-report") -> list[dict[str, Any]]:
        """What the type's topic holds, read as plain JSON."""
        return self.lines(f"events-{name}")

    def lines(self, topic: str) -> list[dict[str, Any]]:
        with closing(open_broker(self.queue_url)) as broker:
            position, found = broker.begin_offsets(topic), []
            while records := broker.read(topic, position):
                for record in records:
                    position[record.partition] = record.offset + 1
                    found += [json.loads(line) for line in record.value.splitlines()]
        return found

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/readyz")[0] == 200
        return False

    def workers(self) -> list[psutil.Process]:
        """Its processes that take events: not multiprocessing's own helper."""
        found = []
        with contextlib.suppress(psutil.Error):
            for each in psutil.Process(self.process.pid).children():
                with contextlib.suppress(psutil.Error):  # one that ends just now is none any more
                    found += [each] if each.cmdline() and "resource_tracker" not in " ".join(each.cmdline()) else []
        return found

    def memory_bytes(self) -> int:
        """What those processes hold."""
        return sum(each.memory_info().rss for each in self.workers())

    def kill(self) -> None:
        """All of it, first who would start the others again."""
        workers = psutil.Process(self.process.pid).children() if self.process.poll() is None else []
        for each in [self.process, *workers]:
            with contextlib.suppress(psutil.Error):
                each.kill()
        self.process.wait(PATIENCE_S)


@contextmanager
def collecting(folder: Path, *, command: Sequence[str] = COMMAND, **settings: str) -> Iterator[Collector]:
    """Ready to take events; all of it gone at the end."""
    queue_url, port, log = f"sqlite://{folder}/queue", free_port(), folder / "collector.log"
    with closing(open_broker(queue_url)) as broker:
        broker.create(topics().values())
    given = {"QUEUE_URL": queue_url, "EVENTS_PORT": str(port), "TMPDIR": str(folder)}
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=os.environ | given | settings, stdout=out, stderr=out)
    here = Collector(process=process, port=port, queue_url=queue_url, log=log)
    try:
        assert until(here.is_ready, PATIENCE_S), log.read_text()
        yield here
    finally:
        here.kill()
