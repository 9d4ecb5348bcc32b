"""The driver as a process that tests start and kill, over a queue and two stores in one folder."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import oracle
import psutil
from pipeline_output.errors import TableMissing
from pipeline_output.stores import open_store
from pipeline_output.tables import MONITORING_WINDOWS, RANDOM_NUMBERS_WINDOWS, Table
from pipeline_queue.brokers import Broker, open_broker
from pipeline_queue.topics import MONITORING, RANDOM_NUMBERS, TOPICS
from waiting import PATIENCE_S, Stopwatch

STREAMING = {"random-numbers": RANDOM_NUMBERS.name, "monitoring": MONITORING.name}
"""Jobs and their topics."""
COMMITTED_WITHIN_S = 300
"""A start takes 10 s on an idle machine of 2 cores; CI's may be anything but idle."""


@dataclass
class Folder:
    """Where the driver works."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def queue_url(self) -> str:
        return f"sqlite://{self.path}/queue"

    @property
    def stores(self) -> dict[str, str]:
        return {"disk": f"disk://{self.path}/disk", "sqlite": f"sqlite://{self.path}/store.db"}

    def broker(self) -> Broker:
        broker = open_broker(self.queue_url)
        broker.create(TOPICS.values())
        return broker

    def start(self) -> subprocess.Popen:
        ours = {
            "QUEUE_URL": self.queue_url,
            "STORES": ",".join(self.stores.values()),
            "CHECKPOINT_DIR": f"{self.path}/checkpoints",
            "TRIGGER_S": "0.5",
            "HEALTH_PORT": "0",
        }
        with (self.path / "driver.log").open("ab") as log:
            command = [sys.executable, "-m", "pipeline_cli", "process"]
            return subprocess.Popen(command, env=os.environ | ours | dict(self.environment), stdout=log, stderr=log)

    def log(self) -> str:
        return (self.path / "driver.log").read_text(errors="replace")

    def wait_for(self, words: str) -> list[str]:
        """All that the driver has said, once the words are among it."""
        deadline = time.monotonic() + COMMITTED_WITHIN_S
        while words not in self.log() and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.log().splitlines()

    def wait_committed(self, driver: subprocess.Popen, *stores: str) -> None:
        """Return when the queries into these stores, or all, have committed all that the queue holds now."""
        broker = open_broker(self.queue_url)
        ends = {job: broker.end_offsets(topic) for job, topic in STREAMING.items()}
        awaited = [(job, store) for job in ends for store in stores or self.stores if any(ends[job].values())]
        deadline = time.monotonic() + COMMITTED_WITHIN_S
        while not all(self.committed(job, store) == ends[job] for job, store in awaited):
            assert driver.poll() is None, f"the driver ended:\n{self.log()[-3000:]}"
            assert time.monotonic() < deadline, f"not committed in time:\n{self.log()[-3000:]}"
            time.sleep(0.01)

    def committed(self, job: str, store: str) -> dict[int, int]:
        """The offsets up to which all is in that store: as its query has committed, if nothing of it waits for the store."""
        for checkpoint in (self.path / "checkpoints").glob(f"{job}-[0-9]*/spark"):
            batches = [int(path.name) for path in (checkpoint / "commits").glob("[0-9]*")]
            if batches:
                said = (checkpoint / "offsets" / str(max(batches))).read_text().splitlines()[-1]
                if not any(checkpoint.parent.glob(f"waiting/{store}-*/*.arrow")):
                    return {int(partition): offset for partition, offset in json.loads(said).items()}
        return {}

    def differing(self, store: str) -> dict[int, tuple]:
        """The windows whose row is missing, superfluous or other than the recomputation from all raw events."""
        return _differing(oracle.windows(self._appended(RANDOM_NUMBERS.name)), self.rows(store), oracle.same)

    def hosts_differing(self, store: str) -> dict[tuple[int, str], tuple]:
        """The same of what hosts measured."""
        return _differing(oracle.host_windows(self._appended(MONITORING.name)), self.host_rows(store), oracle.same_host)

    def rows(self, store: str) -> dict[int, dict]:
        return {row["window_start_ns"]: row for row in self._read(store, RANDOM_NUMBERS_WINDOWS)}

    def host_rows(self, store: str) -> dict[tuple[int, str], dict]:
        return {(row["window_start_ns"], row["host"]): row for row in self._read(store, MONITORING_WINDOWS)}

    def _appended(self, topic: str) -> Iterator[oracle.Appended]:
        return oracle.events(oracle.raw_records(open_broker(self.queue_url), topic))

    def _read(self, store: str, table: Table) -> list[dict]:
        with contextlib.closing(open_store(self.stores[store])) as opened:
            try:
                return opened.read(table).to_pylist()
            except TableMissing:
                return []

    def processes(self) -> list[str]:
        """What works for this folder: the driver, its JVM, its Python workers, wherever they hang in the tree."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("CHECKPOINT_DIR") == f"{self.path}/checkpoints":
                    found.append(" ".join(process.cmdline())[-200:])
        return found

    def left(self) -> list[str]:
        """The processes that do not go away; the kernel takes its time with the memory of those that do."""
        deadline = time.monotonic() + PATIENCE_S
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left


def said_unasked(log: str) -> list[str]:
    """What a driver need not say: that queries run, and that on a busy machine the queue was long in taking a heartbeat."""
    return [line for line in log.splitlines() if " runs: " not in line and "no heartbeat: " not in line]


def on_the_path(folder: str) -> str:
    """A folder of these tests before all that is on Python's path."""
    here = str(Path(__file__).parent / "e2e" / folder)
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])


def ended(driver: subprocess.Popen) -> float:
    """Seconds from SIGTERM to the end of the process, as a promise counts them."""
    stopwatch = Stopwatch()
    driver.terminate()
    driver.wait(PATIENCE_S)
    return stopwatch.seconds()


def _differing(expected: Mapping, stored: Mapping, same: Callable) -> dict:
    # A row that counts nothing says what no row says.
    rows = {window: row for window, row in stored.items() if row["count"] or row["late"]}
    return {
        window: (expected.get(window), rows.get(window))
        for window in expected.keys() | rows.keys()
        if window not in expected or window not in rows or not same(expected[window], rows[window])
    }
