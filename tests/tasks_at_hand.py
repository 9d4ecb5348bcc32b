"""The task API without a server: requests go in, responses come out; tasks, recordings and replays are in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from memory_tasks import MemoryRecordings, MemoryReplays, MemoryTaskMaster
from pipeline_output.handlers.outcomes import Outcomes
from pipeline_output.state import DefinitionStore, open_definitions
from pipeline_processing.tasks.api.access import Access
from pipeline_processing.tasks.api.app import App, Parts
from pipeline_processing.tasks.api.messages import Request, Response
from pipeline_processing.tasks.api.statistics import Statistics
from pipeline_processing.tasks.own_figures import Identity, OwnFigures
from pipeline_processing.tasks.registry import TaskRegistry
from pipeline_queue.clock import ManualClock

NOW_NS = 1_767_225_600_123_456_789
NOW = "2026-01-01T00:00:00.123456789Z"
CPU = "stream\n    |from()\n        .measurement('cpu')\n    |httpOut('mean')\n"


@dataclass
class Answer:
    status: int
    told: Any
    headers: Mapping[str, str]


@dataclass
class TaskServer:
    """All of it, with what it leads to."""

    store: DefinitionStore
    token: str | None = None
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW_NS))
    master: MemoryTaskMaster = field(default_factory=MemoryTaskMaster)
    ingress: dict[tuple[str, str, str], int] = field(default_factory=dict)
    written: list[tuple[bytes, Mapping[str, str], Mapping[str, str]]] = field(default_factory=list)
    outcomes: Outcomes = field(default_factory=lambda: Outcomes(Path("nothing was delivered")))

    def __post_init__(self) -> None:
        self.recordings = MemoryRecordings(self.clock)
        self.replays = MemoryReplays(self.clock, self.recordings)
        self.start()

    def start(self) -> None:
        """As a process does that is started again: what ran before does not run."""
        self.master.running.clear()
        self.serve()

    def serve(self) -> None:
        """What the parts beneath can do, over the API."""
        self.registry = TaskRegistry(self.store, self.master, self.clock)
        self.registry.forget_deleted()
        self.registry.follow()
        identity = Identity(host="here", server_id="server", cluster_id="cluster")
        self.figures = OwnFigures(self.registry, identity, lambda: self.ingress, self.outcomes.figures)
        parts = Parts(
            registry=self.registry,
            recordings=self.recordings,
            replays=self.replays,
            statistics=Statistics(self.figures),
            outcomes=self.outcomes,
            door=self._write,
            clock=self.clock,
        )
        self.app = App(parts, Access(self.token))

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Below /kapacitor/v1; a header's name is given with `_` for `-`."""
        return self.ask_at(method, f"/kapacitor/v1{path}", body, **headers)

    def ask_at(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        parts = urlsplit(path)
        request = Request(
            method=method,
            path=unquote(parts.path),
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            body=body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode(),
        )
        return _answer(self.app.answer(request))

    def define(self, task_id: str = "cpu", **given: Any) -> Answer:
        body = {"id": task_id, "type": "stream", "dbrps": [{"db": "telegraf", "rp": "autogen"}], "script": CPU}
        return self.ask("POST", "/tasks", body | given)

    def ids(self, query: str = "") -> list[str]:
        return [each["id"] for each in self.ask("GET", f"/tasks?fields=link{query}").told["tasks"]]

    def _write(
        self, body: bytes, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        self.written.append((body, query, headers))
        return 204, [("x-door", "points")], b""


@contextmanager
def task_server(folder: Path, **given: Any) -> Iterator[TaskServer]:
    with closing(open_definitions(f"sqlite://{folder}/tasks")) as store:
        yield TaskServer(store, **given)


def _answer(response: Response) -> Answer:
    told = json.loads(response.body) if response.body else None
    return Answer(status=response.status, told=told, headers=dict(response.headers))
