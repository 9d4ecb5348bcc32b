"""Many pages at once: 300 Socket.IO clients follow demo 1 while ten events a second are made.

    python tests/benchmarks/bench_socketio.py [eventlet|threading ...]

In:   nothing; the display runs alone over a SQLite queue in a temporary folder, the clients in two processes beside it.
Out:  a table for each mode, without and with one further client that has stopped reading its socket: events that each client was due,
      got and missed (their numbers prove it), the latency from an event's making to its receipt, and the shares of a core that
      display, clients, publisher and everything else on the machine took. They all share its cores: where the sum comes near
      their number, latencies are those of a busy machine. A line for each event that is missing or out of order and for each
      99th percentile over its limit, and exit status 1 if there is one.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))
from running_display import Display, displaying
from socketio_clients import Client, Report, connected
from waiting import until

CLIENTS = 300
PROCESSES = 2
EVERY_S = 0.1
MEASURE_S = 20
PAST = 400
"""Events that are there before: they make the first messages so large that a client that does not read fills its socket."""
COLUMNS = (
    *("received", "missing", "out of order", "median ms", "99 % ms", "limit"),
    *("display", "clients", "publisher", "others"),
)
LIMITS_MS = {"threading": 100, "eventlet": 250}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run found; shares are of one core."""

    due: int
    reports: list[Report]
    display_share: float
    clients_share: float
    publisher_share: float
    others_share: float

    @property
    def latencies_ms(self) -> list[float]:
        return sorted(each for report in self.reports for each in report.latencies_ms)

    @property
    def p99_ms(self) -> float:
        return self.latencies_ms[int(len(self.latencies_ms) * 0.99)]

    @property
    def missing(self) -> int:
        return sum(self.due - client.events for report in self.reports for client in report.clients)

    @property
    def breaks(self) -> int:
        return sum(client.breaks for report in self.reports for client in report.clients)


def main() -> int:
    """The exit status."""
    broken: list[str] = []
    table = Table("mode", "stopped", title=f"{CLIENTS} clients, {1 / EVERY_S:.0f} events/s, {MEASURE_S} s", box=None)
    for name in COLUMNS:
        table.add_column(name, justify="right")
    for mode in sys.argv[1:] or LIMITS_MS:
        for stopped in (0, 1):
            with tempfile.TemporaryDirectory() as folder, displaying(Path(folder), mode) as display:
                run = measured(display, stopped)
            row = cells(mode, stopped, run)
            broken += [f"{mode}, {stopped} stopped: {what}" for what in limits_broken(mode, run)]
            print(*row, sep="  ", file=sys.stderr, flush=True)
            table.add_row(*row)
    Console(width=130).print(table)
    print(*(broken or ["every event once and in order, every 99th percentile within its limit"]), sep="\n")
    return 1 if broken else 0


def limits_broken(mode: str, run: Run) -> list[str]:
    """What a run did that it may not, in words."""
    found = []
    if run.missing:
        found.append(f"{run.missing:,} events are missing")
    if run.breaks:
        found.append(f"{run.breaks:,} times an event did not follow the one before it")
    if run.p99_ms > LIMITS_MS[mode]:
        found.append(f"the 99th percentile is {run.p99_ms:.1f} ms and its limit {LIMITS_MS[mode]} ms")
    return found


def measured(display: Display, stopped: int) -> Run:
    assert display.process
    display.publish(PAST)
    with ExitStack() as stack:
        for client in [Client(display.port, receive_bytes=4096) for _ in range(stopped)]:
            stack.callback(client.sock.close)
        groups = [stack.enter_context(connected(display.port, CLIENTS // PROCESSES)) for _ in range(PROCESSES)]
        processes = [psutil.Process(each) for each in (display.process.pid, *(group.pid for group in groups))]
        with publishing(display):
            time.sleep(3)
            for group in groups:
                group.measure()
            before, began_s = taken_s(processes), time.monotonic()
            time.sleep(MEASURE_S)
            passed_s = time.monotonic() - began_s
            shares = [(now - was) / passed_s for now, was in zip(taken_s(processes), before, strict=True)]
        last = display.seq - 1
        until(lambda: all(client.last == last for group in groups for client in group.report().clients), 5)
        all_share, own_share, display_share, *clients_shares = shares
        return Run(
            due=display.seq,
            reports=[group.report() for group in groups],
            display_share=display_share,
            clients_share=sum(clients_shares),
            publisher_share=own_share,
            others_share=all_share - own_share - display_share - sum(clients_shares),
        )


@contextmanager
def publishing(display: Display) -> Iterator[None]:
    """An event each `EVERY_S`, whatever the one before took."""
    stopping = threading.Event()

    def run() -> None:
        due_s = time.monotonic()
        while not stopping.wait(max(0.0, due_s - time.monotonic())):
            display.publish()
            due_s += EVERY_S

    with ThreadPoolExecutor(max_workers=1) as threads:
        running = threads.submit(run)
        try:
            yield
        finally:
            stopping.set()
        running.result()


def taken_s(processes: list[psutil.Process]) -> list[float]:
    """Processor time so far: of the whole machine, of this process, of each of `processes`."""
    machine = psutil.cpu_times()
    of_each = (each.cpu_times() for each in processes)
    return [
        sum(machine) - machine.idle - machine.iowait,
        time.process_time(),
        *(each.user + each.system for each in of_each),
    ]


def cells(mode: str, stopped: int, run: Run) -> list[str]:
    latencies = run.latencies_ms
    return [
        mode,
        str(stopped),
        f"{sum(client.events for report in run.reports for client in report.clients):,}",
        str(run.missing),
        str(run.breaks),
        f"{latencies[len(latencies) // 2]:.1f}",
        f"{run.p99_ms:.1f}",
        str(LIMITS_MS[mode]),
        *(f"{share:.0%}" for share in (run.display_share, run.clients_share, run.publisher_share, run.others_share)),
    ]


if __name__ == "__main__":
    sys.exit(main())
