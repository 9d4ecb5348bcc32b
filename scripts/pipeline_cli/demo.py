"""`pipeline demo`: all five stages on this machine, without Docker.

Each stage is a process of its own, as each is a container of its own in Compose; SQLite stands in for Kafka and Cassandra.
Everything lives in one folder: started again it goes on where it was.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline_cli.demo_tasks import define_tasks
from pipeline_cli.supervisor import FIRST, SERVICES, Supervisor, held_folder
from pipeline_cli.where import DATA_DIR

READY_WITHIN_S = 120.0
"""1 s on an idle machine. It is for a display that neither answers nor ends: one that ends is told of at once."""
ROUND_S = 0.2
TRIM_EVERY_S = 60.0


def demo(  # noqa: PLR0913, PLR0917 (one an option)
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the pages are, on 127.0.0.1.")] = 8080,
    events_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Where applications' events come in, on 127.0.0.1.")
    ] = 8081,
    tasks_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Where the task API is, and points come in, on 127.0.0.1.")
    ] = 9092,
    data_dir: Annotated[Path, typer.Option(help="Where everything is kept.")] = DATA_DIR,
    seconds: Annotated[
        float | None, typer.Option(min=0.0, help="Stop by itself after so long.", show_default=False)
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Forget what an earlier run kept.")] = False,
) -> None:
    """Run the whole pipeline on this machine, without Docker; Ctrl-C ends it."""
    ports = {"--port": port, "--events-port": events_port, "--tasks-port": tasks_port}
    _check_apart(ports)
    console = Console(stderr=True)
    folder = data_dir.absolute()
    with held_folder(folder):
        if reset:
            _forget(folder)
        for each in ports.values():
            _check_port(each)
        define_tasks(folder / "tasks", folder / "alerts/logs/hosts.log")
        supervisor = Supervisor(folder, port=port, events_port=events_port, tasks_port=tasks_port)
        signal.signal(signal.SIGTERM, _as_interrupt)
        try:
            _run(supervisor, console, seconds)
        except KeyboardInterrupt:
            console.print("stopping")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            supervisor.stop()


def _run(supervisor: Supervisor, console: Console, seconds: float | None) -> None:
    started = time.monotonic()
    supervisor.start(FIRST)
    with console.status("starting the pages"):
        supervisor.wait_for_pages(READY_WITHIN_S)
    supervisor.start(name for name in SERVICES if name not in FIRST)
    print(f"http://127.0.0.1:{supervisor.port}/", flush=True)
    console.print(f"the pipeline runs; logs are in {supervisor.logs}; Ctrl-C ends it")
    trimmed = time.monotonic()
    while seconds is None or time.monotonic() - started < seconds:
        for name, status in supervisor.revive():
            console.print(f"{name} ended with status {status} and is started again; see {supervisor.logs / name}.log")
        if time.monotonic() - trimmed > TRIM_EVERY_S:
            supervisor.trim()
            trimmed = time.monotonic()
        time.sleep(ROUND_S)


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _forget(folder: Path) -> None:
    """Only what a demo makes: the folder may be anyone's."""
    for name in ("queue", "disk", "checkpoints", "ledger", "logs", "tasks", "alerts"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in (*folder.glob("cassandra-stand-in.db*"), *folder.glob("events.db*")):
        path.unlink()


def _check_apart(ports: Mapping[str, int]) -> None:
    """Raises BadParameter where two are one."""
    taken: dict[int, str] = {}
    for option, port in ports.items():
        if port in taken:
            raise typer.BadParameter(f"{taken[port]} and {option} cannot both be {port}; choose another for {option}")
        taken[port] = option


def _check_port(port: int) -> None:
    """Raises PortTaken now rather than in the log of a child."""
    from pipeline_display.port import listen

    listen("127.0.0.1", port).close()
