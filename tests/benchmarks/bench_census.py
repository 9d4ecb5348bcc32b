"""The census from its files to both stores, embedded: publishing it, the first run of its job in a fresh driver, and later ones.

    python tests/benchmarks/bench_census.py

In:   nothing; it starts its own driver in a temporary folder.
Out:  a table: seconds by the clock on the wall, as the driver says them, and of processor time of the driver, its JVM and its
      Python workers. The first run begins when the streams go round and is the one that loads classes and starts workers;
      streaming queries idle beside all of them. Stores are disk and SQLite, durability is `process`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psutil
from measuring import processor_s
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))
from running_driver import COMMITTED_WITHIN_S, Folder
from waiting import until

RUNS = 5
SAID = re.compile(r"census finished: .* in ([\d.]+) s")


def main() -> None:
    table = Table("what", "wall s", "processor s", title="The census, 4,762 events, into disk and SQLite", box=None)
    with tempfile.TemporaryDirectory() as path:
        folder = Folder(Path(path))
        folder.broker()
        for what in ("publish it", "publish it again: nothing is missing"):
            seconds = timed(lambda: pipeline(folder, "produce", "census"))
            table.add_row(what, f"{seconds:.1f}", "")
        began = time.monotonic()
        driver = folder.start()
        try:
            for row in measured(folder, psutil.Process(driver.pid), began):
                table.add_row(*row)
        finally:
            driver.terminate()
            driver.wait()
    Console(width=120).print(table)


def measured(folder: Folder, driver: psutil.Process, began: float) -> list[tuple[str, str, str]]:
    """The driver's runs."""
    assert until((folder.path / "disk/census_income").exists, COMMITTED_WITHIN_S, pause_s=0.02)
    before_s = processor_s(driver)
    assert until(lambda: bool(runs(folder)), COMMITTED_WITHIN_S, pause_s=0.05)
    first = ("first run", f"{runs(folder)[0]:.1f}", f"{processor_s(driver) - before_s:.1f}")
    start = ("from the driver's start to the rows", f"{time.monotonic() - began:.1f}", f"{processor_s(driver):.1f}")
    processor = []
    for _ in range(RUNS):
        before_s = processor_s(driver)
        pipeline(folder, "submit", "census")
        processor.append(processor_s(driver) - before_s)
    later = runs(folder)[1:]
    return [
        start,
        first,
        (f"later runs, median of {len(later)}", f"{median(later):.1f}", f"{median(processor):.1f}"),
        (f"later runs, best of {len(later)}", f"{min(later):.1f}", f"{min(processor):.1f}"),
    ]


def runs(folder: Folder) -> list[float]:
    """The seconds of each run that the driver told of."""
    return [float(found) for found in SAID.findall(folder.log())]


def pipeline(folder: Folder, *words: str) -> None:
    command = [sys.executable, "-m", "pipeline_cli", *words]
    environment = os.environ | {"QUEUE_URL": folder.queue_url}
    subprocess.run(command, env=environment, capture_output=True, check=True)


def timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
