"""`pipeline tasks` as a process that tests start, kill as a whole and start again, with its queue and state in one folder."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline_queue.brokers import Record, open_broker
from pipeline_queue.codec import decode
from pipeline_queue.events import Event
from pipeline_queue.points import block
from pipeline_queue.topics import ALERTS, POINTS
from running_demo import ROOT, free_port
from waiting import PATIENCE_S, until

STAGES = ("queue", "output", "input", "processing", "display", "scripts")


@dataclass
class RunningEngine:
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen | None = None

    @property
    def queue_url(self) -> str:
        return f"sqlite://{self.folder}/queue"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when it answers."""
        command = [sys.executable, "-m", "pipeline_cli", "tasks"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        assert until(self.answers, PATIENCE_S, pause_s=0.05), self.log()

    def stop(self) -> None:
        """As a supervisor does, and wait."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(PATIENCE_S)

    def beside(self) -> RunningEngine:
        """Another one that shares all with this one but its port; it is not started yet."""
        return RunningEngine(self.folder, self.settings)

    def kill(self) -> None:
        """All its processes at once, wherever they are."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def freeze(self) -> None:
        """At a moment when it is within no transaction: whoever is frozen there holds the file's lock, and all wait for him."""
        while True:
            self._signal(signal.SIGSTOP)
            if not any(map(_is_locked, self.folder.glob("*/*.db"))):
                return
            self._signal(signal.SIGCONT)
            time.sleep(0.01)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def answers(self) -> bool:
        try:
            return self.ask("GET", "/kapacitor/v1/ping")[0] == 204
        except OSError:
            return False

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Raises OSError where nobody answers."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)) as connection:
            return asked(connection, method, path, body)

    def define(self, task_id: str, script: str) -> None:
        told = {
            "id": task_id,
            "type": "stream",
            "dbrps": [{"db": "telegraf", "rp": "autogen"}],
            "script": script,
            "status": "enabled",
        }
        status, said = self.ask("POST", "/kapacitor/v1/tasks", json.dumps(told).encode())
        assert status == 200, said

    def show(self, task_id: str) -> Any:
        return json.loads(self.ask("GET", f"/kapacitor/v1/tasks/{task_id}")[1])

    def output(self, task_id: str, endpoint: str) -> Any:
        return json.loads(self.ask("GET", f"/kapacitor/v1/tasks/{task_id}/{endpoint}")[1])

    def points(self) -> int:
        """How many the queue holds, whoever was told so."""
        return sum(block.decode(record.value)[1].num_rows for record in self._records(POINTS.name))

    def alerts(self) -> list[Event]:
        """As they were recorded, oldest first."""
        return [event for record in self._records(ALERTS.name) for event in decode(ALERTS, record).events]

    def _records(self, topic: str) -> Iterator[Record]:
        """All of them: a read ends where its bytes are many."""
        with closing(open_broker(self.queue_url)) as broker:
            at = broker.begin_offsets(topic)
            while found := broker.read(topic, at):
                yield from found
                at |= {each.partition: each.offset + 1 for each in found}

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(ROOT / each) for each in STAGES),
            "QUEUE_URL": self.queue_url,
            "TASKS_PORT": str(self.port),
            "TASKS_STATE_URL": f"sqlite://{self.folder}/state",
            "TASKS_DIR": str(self.folder / "tasks"),
            "ALERTS_STATE_DIR": str(self.folder / "alerts"),
            "TASKS_ALLOW_TARGETS": "127.0.0.0/8",
            "TASKS_STATS_INTERVAL_S": "0",
            **self.settings,
        }


def _is_locked(path: Path) -> bool:
    """By who is frozen; others let go of it within the time that this waits."""
    with closing(sqlite3.connect(path, timeout=2.0, isolation_level=None)) as file:
        try:
            file.execute("begin immediate")
        except sqlite3.OperationalError:
            return True
        file.execute("rollback")
        return False


def asked(connection: http.client.HTTPConnection, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    connection.request(method, path, body=body)
    answer = connection.getresponse()
    return answer.status, answer.read()


@contextmanager
def running_engine(folder: Path, settings: Mapping[str, str]) -> Iterator[RunningEngine]:
    folder.mkdir(parents=True, exist_ok=True)
    engine = RunningEngine(folder, settings)
    engine.start()
    try:
        yield engine
    finally:
        engine.kill()
