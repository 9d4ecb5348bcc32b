"""`scripts/demo.sh` as its user knows it: one command, all five stages, Ctrl-C, and on from where it was."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import oracle
import psutil
import pytest
from pipeline_output.stores import open_store
from pipeline_output.tables import RANDOM_NUMBERS_WINDOWS
from pipeline_queue.brokers import open_broker

ROOT = Path(__file__).parents[2]
START_WITHIN_S = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def until(condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


@dataclass
class Demo:
    """A running demo and where it keeps things."""

    process: subprocess.Popen
    folder: Path
    port: int

    def page(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
            return response.read().decode()

    def windows(self, store: str) -> list[dict]:
        url = {"disk": f"disk://{self.folder}/disk", "stand-in": f"sqlite://{self.folder}/cassandra-stand-in.db"}[store]
        with contextlib.closing(open_store(url)) as opened:
            return opened.read(RANDOM_NUMBERS_WINDOWS).to_pylist()

    def processes(self) -> list[psutil.Process]:
        """Everything that works for this demo, wherever it hangs in the tree of processes."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if str(self.folder) in " ".join(process.cmdline() + list(process.environ().values())):
                    found.append(process)
        return [process for process in found if process.pid != os.getpid()]

    def named(self, name: str) -> psutil.Process:
        return next(each for each in psutil.Process(self.process.pid).children() if each.cmdline()[3:] == name.split())


def start(folder: Path, *options: str) -> Demo:
    port = free_port()
    command = ["scripts/demo.sh", "--port", str(port), "--data-dir", str(folder), *options]
    environment = os.environ | {"EXTRAS": "dev"}
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == f"http://127.0.0.1:{port}/"
    return Demo(process=process, folder=folder, port=port)


def ended(demo: Demo, signal_number: int) -> float:
    """Seconds from the signal until nothing is left."""
    began = time.monotonic()
    demo.process.send_signal(signal_number)
    until(lambda: demo.process.poll() is not None and not demo.processes(), 15)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Demo, set[str], float]]:
    """A demo that ran, was interrupted, and runs again; with the first run's acknowledged ids and its time to end."""
    folder = tmp_path_factory.mktemp("demo")
    first = start(folder)
    assert until(lambda: len(first.windows("disk")) > 3, START_WITHIN_S), (folder / "logs/processing.log").read_text()[-3000:]
    seconds = ended(first, signal.SIGINT)
    ids = oracle.acknowledged(folder / "ledger", "random-numbers")
    second = start(folder)
    yield second, ids, seconds
    ended(second, signal.SIGKILL)


def test_ctrl_c_ends_everything_within_five_seconds(two_runs: tuple[Demo, set[str], float]) -> None:
    assert two_runs[2] < 5


@pytest.mark.parametrize("store", ["disk", "stand-in"])
def test_what_was_acknowledged_before_ctrl_c_is_in_the_stores_after_the_next_start(
    two_runs: tuple[Demo, set[str], float], store: str
) -> None:
    demo, ids, _ = two_runs
    raw = oracle.records(open_broker(f"sqlite://{demo.folder}/queue"), "random-numbers")
    of_first = [(record, event) for record, event in oracle.events(raw) if event["event_id"] in ids]
    assert len(of_first) == len(ids) > 0
    expected = oracle.windows({record.offset: record for record, _ in of_first}.values())

    def stored() -> dict[int, dict]:
        return {row["window_start_ns"]: row for row in demo.windows(store) if row["window_start_ns"] in expected}

    assert until(lambda: len(stored()) == len(expected), START_WITHIN_S)
    wrong = {
        start_ns: (window, row)
        for start_ns, window in expected.items()
        if not same(window, row := stored()[start_ns])
    }
    assert wrong == {}


def same(window: oracle.Window, row: dict) -> bool:
    """In the sense of ARCHITECTURE.md: counts and extremes equal, moments within 1e-9."""
    exact = (row["count"], row["late"], row["min"], row["max"]) == (window.count, window.late, window.min, window.max)
    moments = ((row["sum"], window.sum), (row["mean"], window.mean), (row["standard_deviation"], window.standard_deviation))
    return exact and all(math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-9) for got, want in moments)


def test_the_index_lists_the_demos(two_runs: tuple[Demo, set[str], float]) -> None:
    page = two_runs[0].page("/")
    assert [f'href="/{name}"' in page for name in ("demo1", "demo5", "demo6")] == [True, True, True]


def test_a_second_demo_in_the_same_folder_is_refused(two_runs: tuple[Demo, set[str], float]) -> None:
    folder = two_runs[0].folder
    refused = subprocess.run(
        [ROOT / ".venv/bin/pipeline", "demo", "--data-dir", folder, "--port", str(free_port())], capture_output=True, text=True, check=False
    )
    assert (refused.returncode, f"another demo works in `{folder}`" in refused.stderr) == (1, True)


def test_a_held_port_is_refused_with_its_holder(two_runs: tuple[Demo, set[str], float], tmp_path: Path) -> None:
    demo = two_runs[0]
    refused = subprocess.run(
        [ROOT / ".venv/bin/pipeline", "demo", "--data-dir", tmp_path, "--port", str(demo.port)], capture_output=True, text=True, check=False
    )
    assert (refused.returncode, "pipeline_cli serve" in refused.stderr) == (1, True)


def test_a_killed_producer_is_started_again(two_runs: tuple[Demo, set[str], float]) -> None:
    demo = two_runs[0]
    killed = demo.named("pipeline_cli produce monitoring")
    killed.kill()
    assert until(lambda: demo.named("pipeline_cli produce monitoring").pid != killed.pid, 10)


def test_nothing_is_left_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    demo = start(tmp_path)
    assert until(lambda: any("java" in process.name() for process in demo.processes()), 30)
    ended(demo, signal.SIGKILL)
    assert [process.cmdline() for process in demo.processes()] == []


def test_seconds_ends_it_by_itself_with_status_0(tmp_path: Path) -> None:
    demo = start(tmp_path, "--seconds", "4")
    assert demo.process.wait(20) == 0
    assert demo.processes() == []
