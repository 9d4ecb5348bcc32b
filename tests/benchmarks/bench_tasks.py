"""What a point costs the task engine: `pipeline tasks` as a process, fed over HTTP, and `pipeline task run` from a file.

    python tests/benchmarks/bench_tasks.py [--points 2000000] [A] [B] [C] [run] [many] [alert] [groups]

Out:  a table: µs of processor time a point of all our processes (from the first request until the task has computed the last point),
      points/s on the wall, the greatest resident memory and what of it is no file's at the end (each process counts the libraries
      that they share), and how many times that is of Kapacitor 1.5.9's figure; the median time from a POST to the recorded alert
      at 1,000 points/s; what a group takes, of GROUPS that a task has one point of each.
Figures: µs a point: A 1.7, B 2.5, C 1.5, `task run` 1.3; 200 MB; 20 ms; 1 KB a group. Who sends is another process and not counted.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
from measuring import processor_s
from pipeline_queue.brokers import open_broker
from pipeline_queue.codec import decode
from pipeline_queue.topics import ALERTS
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))
from running_engine import RunningEngine, asked, running_engine
from waiting import PATIENCE_S, until

A_REQUEST, HOSTS = 5_000, 1_000
MANY, GROUPS = 200, 1_000_000
STARTS = 3
ALERTS_SENT, PAUSE_S, POINTS_A_POST = 200, 0.02, 20
BEGIN_NS, STEP_NS = 1_500_000_000_000_000_000, 1_000_000
WRITE = "/write?db=telegraf&rp=autogen"
FROM = "stream\n    |from()\n        .measurement('cpu')\n"
MEAN = (
    FROM
    + "        .groupBy('host')\n    |window()\n        .period(10s)\n        .every(10s)\n    |mean('value')\n    |httpOut('mean')\n"
)
SIGMA = (
    FROM
    + "        .groupBy('host')\n    |eval(lambda: sigma(\"value\"))\n        .as('sigma')\n    |alert()\n        .crit(lambda: \"sigma\" > 3.0)\n        .log('/dev/null')\n"
)
WHERE = FROM + "        .groupBy('host')\n    |where(lambda: \"value\" > 50.0)\n    |httpOut('high')\n"
ABOVE = FROM + "        .groupBy('host')\n    |alert()\n        .crit(lambda: \"value\" > 1000.0)\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    points: int
    processor_s: float
    wall_s: float
    peak_bytes: int
    heap_bytes: int = 0

    @property
    def us(self) -> float:
        return self.processor_s / self.points * 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    script: str
    us: float
    kapacitor_us: float


TASKS = {
    "A": Wanted(script=MEAN, us=1.7, kapacitor_us=11.2),
    "B": Wanted(script=SIGMA, us=2.5, kapacitor_us=20.0),
    "C": Wanted(script=WHERE, us=1.5, kapacitor_us=9.9),
    "run": Wanted(script=MEAN, us=1.3, kapacitor_us=13.0),
}


def main() -> None:
    asking = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asking.add_argument("pieces", nargs="*", default=[*TASKS, "many", "alert", "groups"])
    asking.add_argument("--points", type=int, default=2_000_000)
    said = asking.parse_args()
    table = Table("task", title=f"{said.points:,} points, {HOSTS:,} hosts, load {os.getloadavg()[0]:.1f}", box=None)
    for column in ("µs/point", "figure", "of Kapacitor's", "points/s", "peak MB", "heap MB"):
        table.add_column(column, justify="right")
    for piece in said.pieces:
        if piece == "alert":
            print(
                f"POST to recorded alert: median {1e3 * statistics.median(delays_s()):.1f} ms, wanted 20 ms", flush=True
            )
        elif piece == "groups":
            few, many = (over_http(MEAN, GROUPS, hosts=hosts).heap_bytes for hosts in (HOSTS, GROUPS))
            print(f"A with {GROUPS:,} groups: {(many - few) / GROUPS:,.0f} bytes a group, wanted 1,024", flush=True)
        elif piece == "many":
            _add(table, f"{MANY} × C", over_http(WHERE, said.points, tasks=MANY), None)
        else:
            measure = from_a_file if piece == "run" else over_http
            _add(table, piece, measure(TASKS[piece].script, said.points), TASKS[piece])
    Console(width=100).print(table)


def _add(table: Table, name: str, found: Measured, wanted: Wanted | None) -> None:
    of = (f"{wanted.us}", f"1/{wanted.kapacitor_us / found.us:.1f}") if wanted else ("", "")
    memory = (f"{found.peak_bytes / 1e6:.0f}", f"{found.heap_bytes / 1e6:.0f}" if found.heap_bytes else "")
    table.add_row(name, f"{found.us:.2f}", *of, f"{found.points / found.wall_s:,.0f}", *memory)


def bodies(points: int, hosts: int = HOSTS) -> Iterator[bytes]:
    chance = random.Random(0)
    for first in range(0, points, A_REQUEST):
        yield "".join(
            f"cpu,host=host{number % hosts:04d} value={chance.randrange(1000) / 10} {BEGIN_NS + number * STEP_NS}\n"
            for number in range(first, min(points, first + A_REQUEST))
        ).encode()


def over_http(script: str, points: int, *, tasks: int = 1, hosts: int = HOSTS) -> Measured:
    written = list(bodies(points, hosts))
    with tempfile.TemporaryDirectory() as folder, running_engine(Path(folder), {"ALERTS_LOG_DIR": "/dev"}) as engine:
        names = [f"task{number}" for number in range(tasks)]
        for name in names:
            engine.define(name, script)
        warm_up(engine, names)
        process = psutil.Process(engine.process.pid)
        before_s, began_s = processor_s(process), time.perf_counter()
        with closing(http.client.HTTPConnection("127.0.0.1", engine.port, timeout=PATIENCE_S)) as connection:
            for body in written:
                assert asked(connection, "POST", WRITE, body) == (204, b"")
        assert until(lambda: all(collected(engine, name) >= points + 1 for name in names), PATIENCE_S, pause_s=0.1)
        return Measured(
            points=points,
            processor_s=processor_s(process) - before_s,
            wall_s=time.perf_counter() - began_s,
            peak_bytes=_memory(process, "VmHWM"),
            heap_bytes=_memory(process, "RssAnon"),
        )


def warm_up(engine: RunningEngine, names: list[str]) -> None:
    """With one point: what is compiled for a task is compiled then."""
    engine.ask("POST", WRITE, f"cpu,host=host0000 value=1 {BEGIN_NS - STEP_NS}\n".encode())
    assert until(lambda: all(collected(engine, name) >= 1 for name in names), PATIENCE_S)


def collected(engine: RunningEngine, name: str) -> int:
    return engine.show(name)["stats"]["node-stats"]["from1"]["collected"]


def _memory(process: psutil.Process, what: str) -> int:
    """Of it and its children, in bytes."""
    found = [Path(f"/proc/{each.pid}/status").read_text() for each in (process, *process.children(recursive=True))]
    return sum(1024 * int(line.split()[1]) for status in found for line in status.splitlines() if line.startswith(what))


def from_a_file(script: str, points: int) -> Measured:
    """Without what it costs to start: that of one point is taken off, the median of STARTS after one that finds cold files."""
    _, *starts = [_run(script, 1) for _ in range(1 + STARTS)]
    all_of_them = _run(script, points)
    return Measured(
        points=points,
        processor_s=all_of_them.processor_s - statistics.median(each.processor_s for each in starts),
        wall_s=all_of_them.wall_s - statistics.median(each.wall_s for each in starts),
        peak_bytes=all_of_them.peak_bytes,
    )


def _run(script: str, points: int) -> Measured:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "task.tick").write_text(script)
        with (folder / "data.lp").open("wb") as file:
            file.writelines(bodies(points))
        command = [sys.executable, "-m", "pipeline_cli", "task", "run", "task.tick", "--data", "data.lp"]
        began_s = time.perf_counter()
        process = subprocess.Popen([*command, "--dbrp", "telegraf.autogen"], cwd=folder, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0
        wall_s = time.perf_counter() - began_s
        return Measured(
            points=points, processor_s=used.ru_utime + used.ru_stime, wall_s=wall_s, peak_bytes=1024 * used.ru_maxrss
        )


def delays_s() -> list[float]:
    """From the beginning of a POST until a reader of the topic `alerts` has the alert of its last point."""
    with tempfile.TemporaryDirectory() as folder, running_engine(Path(folder), {}) as engine:
        engine.define("above", ABOVE)
        warm_up(engine, ["above"])
        with (
            closing(open_broker(engine.queue_url)) as broker,
            closing(http.client.HTTPConnection("127.0.0.1", engine.port, timeout=PATIENCE_S)) as connection,
        ):
            at, found = broker.end_offsets(ALERTS.name), []
            for number in range(ALERTS_SENT):
                began_s = time.perf_counter()
                assert asked(connection, "POST", WRITE, _with_one_high(number)) == (204, b"")
                at = _after_next(broker.read, at)
                found.append(time.perf_counter() - began_s)
                time.sleep(max(0.0, PAUSE_S - found[-1]))
            return found


def _with_one_high(number: int) -> bytes:
    lines = [
        f"cpu,host=host{each:04d} value={2000 + number if each == POINTS_A_POST - 1 else 1} {BEGIN_NS + number * 10**9}\n"
        for each in range(POINTS_A_POST)
    ]
    return "".join(lines).encode()


def _after_next(read: Callable, at: dict[int, int]) -> dict[int, int]:
    after = dict(at)
    while after == at:
        for record in read(ALERTS.name, after, wait_s=PATIENCE_S):
            assert decode(ALERTS, record).events
            after[record.partition] = record.offset + 1
    return after


if __name__ == "__main__":
    main()
