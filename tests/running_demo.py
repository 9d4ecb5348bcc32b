"""A demo that tests start, watch and end: `scripts/demo.sh` in a process of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil
from pipeline_output.errors import TableMissing
from pipeline_output.stores import open_store
from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS, TABLES
from waiting import PATIENCE_S, Stopwatch, until

ROOT = Path(__file__).parents[1]


WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
OURS = range(20_000 + WORKER, 32_000, WORKERS)
PORTS = itertools.cycle(random.SystemRandom().sample(OURS, len(OURS)))
"""Below those that Linux hands out by itself (from 32,768 on), and of this worker alone: between the choice and the use
nobody gets one by chance."""


def free_port() -> int:
    """One that nobody listens on, and none that was given before."""
    for port in PORTS:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError


@dataclass
class Demo:
    """A running demo and where it keeps things."""

    process: subprocess.Popen
    folder: Path
    port: int
    events_port: int
    tasks_port: int

    def page(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as response:
            return response.read().decode()

    def windows(self, store: str) -> list[dict]:
        return self.rows(store, RANDOM_NUMBERS_WINDOWS.name)

    def rows(self, store: str, table: str) -> list[dict]:
        url = {"disk": f"disk://{self.folder}/disk", "stand-in": f"sqlite://{self.folder}/cassandra-stand-in.db"}[store]
        try:
            with contextlib.closing(open_store(url)) as opened:
                return opened.read(TABLES[table]).to_pylist()
        except TableMissing:
            return []  # Spark makes the tables when it has the first rows for them

    def processes(self) -> list[psutil.Process]:
        """Everything that works for this demo, wherever it hangs in the tree of processes."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if str(self.folder) in " ".join(process.cmdline() + list(process.environ().values())):
                    found.append(process)
        return [process for process in found if process.pid != os.getpid()]

    def named(self, name: str) -> psutil.Process | None:
        """The service that runs `pipeline NAME`; None while it is being started again."""
        children = psutil.Process(self.process.pid).children()
        return next((each for each in children if _words(each)[-len(name.split()) :] == name.split()), None)


def _words(process: psutil.Process) -> list[str]:
    """Its command line; none for one that has ended and is not waited for yet."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def start(folder: Path, *options: str) -> Demo:
    port, events_port, tasks_port = free_port(), free_port(), free_port()
    ports = ["--port", str(port), "--events-port", str(events_port), "--tasks-port", str(tasks_port)]
    command = ["scripts/demo.sh", *ports, "--data-dir", str(folder), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == f"http://127.0.0.1:{port}/"
    return Demo(process=process, folder=folder, port=port, events_port=events_port, tasks_port=tasks_port)


def ended(demo: Demo, signal_number: int) -> float:
    """Seconds from the signal until nothing is left, as a promise counts them."""
    stopwatch = Stopwatch()
    demo.process.send_signal(signal_number)
    is_over = until(lambda: demo.process.poll() is not None and not demo.processes(), PATIENCE_S)
    assert is_over, f"left after {signal.Signals(signal_number).name}: {demo.processes()}"
    return stopwatch.seconds()
