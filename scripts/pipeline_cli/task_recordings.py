"""`pipeline task record` and `pipeline task replay`: points kept by the engine and run through tasks, through its API."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipeline_cli.errors import CommandError
from pipeline_cli.task_api import TaskApi

record = typer.Typer(help="Points of the queue kept in files, to be replayed.", no_args_is_help=True)

Url = Annotated[
    str | None, typer.Option("--url", help="Where the task API is; TASKS_URL if unset.", show_default=False)
]
Name = Annotated[str | None, typer.Option("--id", help="Its name; a random one if unset.", show_default=False)]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Return as soon as it has begun, and print its name.")]
AsJson = Annotated[bool, typer.Option("--json", help="What the API says, as JSON.")]
LISTED = ("id", "type", "status", "progress", "size", "date", "error")
LOOK_S = 0.2


@record.command()
def stream(
    task_id: Annotated[str, typer.Argument(metavar="TASK", help="Whose databases are recorded.", show_default=False)],
    duration: Annotated[str, typer.Option(help="How long, such as 10s or 1h30m.", show_default=False)],
    recording_id: Name = None,
    no_wait: NoWait = False,
    url: Url = None,
) -> None:
    """Record what comes from now on, until a point is later or the clock is."""
    from pipeline_processing.tasks.times import duration_ns

    try:
        lasts = timedelta(microseconds=duration_ns(duration) // 1000)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    stop = (datetime.now(UTC) + lasts).isoformat().replace("+00:00", "Z")
    _begun(TaskApi(url), "recordings/stream", _named(recording_id, task=task_id, stop=stop), no_wait=no_wait)


@record.command()
def query(
    text: Annotated[
        str,
        typer.Argument(
            metavar="QUERY",
            help="As in `select * from db.rp.measurement where time >= now() - 1h and time < now()`.",
            show_default=False,
        ),
    ],
    recording_id: Name = None,
    no_wait: NoWait = False,
    url: Url = None,
) -> None:
    """Record what the queue keeps of one measurement."""
    _begun(TaskApi(url), "recordings/query", _named(recording_id, query=text, type="stream"), no_wait=no_wait)


@record.command("list")
def list_recordings(
    pattern: Annotated[str, typer.Argument(metavar="[PATTERN]", help="As in `cpu_*`.")] = "",
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Recordings, the newest first."""
    found = list(TaskApi(url).every(pattern, LISTED, kind="recordings"))
    if as_json:
        for each in found:
            print(json.dumps(each))
        return
    table = Table("id", "type", "status", "progress", "bytes", "since", "error", box=None)
    for each in found:
        size, done = f"{each['size']:,}", f"{each['progress']:.0%}"
        table.add_row(each["id"], each["type"], each["status"], done, size, each["date"], each["error"])
    Console().print(table)


@record.command()
def delete(
    names: Annotated[list[str], typer.Argument(metavar="ID...", help="Of recordings.", show_default=False)],
    url: Url = None,
) -> None:
    """Forget recordings; one that runs ends."""
    api = TaskApi(url)
    for name in names:
        api.stands("recordings", name)  # refuses what is not there
        api.remove("recordings", name)


def replay(  # noqa: PLR0913, PLR0917 (one an option)
    task_id: Annotated[str, typer.Argument(metavar="TASK", help="Which task's script runs.", show_default=False)],
    recording_id: Annotated[str, typer.Argument(metavar="RECORDING", show_default=False)],
    real: Annotated[
        bool, typer.Option("--real-clock", help="At the pace of the recording, not as fast as it goes.")
    ] = False,
    recorded: Annotated[
        bool, typer.Option("--rec-time", help="Keep the recorded times; they begin now otherwise.")
    ] = False,
    outputs: Annotated[
        list[str] | None,
        typer.Option("--output", metavar="NAME", help="An httpOut to print, as JSON.", show_default=False),
    ] = None,
    alerts: Annotated[bool, typer.Option("--alerts", help="Print its alerts, as JSON.")] = False,
    replay_id: Name = None,
    url: Url = None,
) -> None:
    """Run a recording through a copy of a task, and print the copy's counters, or its alerts and what its httpOuts hold."""
    api = TaskApi(url)
    how = {"recording-time": recorded, "clock": "real" if real else "fast"}
    asked = _named(replay_id, task=task_id, recording=recording_id) | how
    told = _begun(api, "replays", asked, no_wait=False)
    for alert in api.alerts(told["id"]) if alerts else ():
        print(json.dumps(alert))
    for name in outputs or ():
        print(json.dumps({"httpOut": name} | api.output(told["id"], name)))
    if not outputs and not alerts:
        for node, counters in told["stats"]["node-stats"].items():
            print(f"{node}: {counters['collected']:,} in, {counters['emitted']:,} out, {counters['errors']:,} errors")


def _named(name: str | None, **asked: Any) -> dict[str, Any]:
    return asked | ({"id": name} if name else {})


def _begun(api: TaskApi, kind: str, asked: dict[str, Any], *, no_wait: bool) -> dict[str, Any]:
    """Once it is over, or at once with `no_wait`; its name is printed. Raises CommandError where it failed."""
    told = api.begin(kind, asked)
    print(told["id"], flush=True)
    while told["status"] == "running" and not no_wait:
        time.sleep(LOOK_S)
        told = api.stands(kind.partition("/")[0], told["id"])
    if told["status"] == "failed":
        raise CommandError(f"{told['id']} failed: {told['error']}")
    return told
