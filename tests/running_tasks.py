"""The task API behind its real server, in a thread of the test's process, on a free loopback port; tasks are in memory."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server
from memory_tasks import MemoryRecordings, MemoryReplays, MemoryTaskMaster
from pipeline_cli.tasks_service import Engine, Worker
from pipeline_output.handlers.outcomes import Outcomes
from pipeline_queue.clock import SystemClock
from running_demo import free_port
from waiting import PATIENCE_S, until


@dataclass
class RunningTasks:
    port: int
    master: MemoryTaskMaster = field(default_factory=MemoryTaskMaster)
    written: list[tuple[bytes, Any, Any]] = field(default_factory=list)
    is_closed: bool = False
    health_port: int = -1
    """Where its health was said while the engine was opened; 0 where it was not."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], Any]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)) as connection:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            told = answer.read()
            return (
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                told and json.loads(told),
            )

    def answers(self) -> bool:
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self.port)) == 0

    @contextmanager
    def engine(self, _settings: Any, service: Any, *_: Any) -> Iterator[Engine]:
        self.health_port = service.port
        recordings = MemoryRecordings(SystemClock())
        replays = MemoryReplays(SystemClock(), recordings)
        yield Engine(
            master=self.master,
            recordings=recordings,
            replays=replays,
            door=self._write,
            ingress=dict,
            outcomes=Outcomes(Path("nothing was delivered")),
        )
        self.is_closed = True

    def _write(self, body: bytes, query: Any, headers: Any) -> tuple[int, list[tuple[str, str]], bytes]:
        self.written.append((body, query, headers))
        return 204, [], b""


@contextmanager
def running_tasks(kind: type[RunningTasks] = RunningTasks) -> Iterator[RunningTasks]:
    """The environment holds the settings."""
    here, serving = kind(free_port()), {}
    started = threading.Event()

    async def serve() -> None:
        server = Server(
            Worker(here.engine),
            port=here.port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            log_level=LogLevels.error,
        )
        serving.update(server=server, loop=asyncio.get_running_loop())
        started.set()
        await server.serve()

    thread = threading.Thread(target=lambda: uvloop.run(serve()), daemon=True)
    thread.start()
    try:
        assert started.wait(PATIENCE_S)
        assert until(here.answers, PATIENCE_S)
        yield here
    finally:
        serving["loop"].call_soon_threadsafe(serving["server"].stop)
        thread.join(PATIENCE_S)
