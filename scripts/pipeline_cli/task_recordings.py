"""`pipeline task record` and `pipeline task replay`: points kept by the engine and run through tasks, through its API."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipeline_cli.errors import CommandError
from pipeline_cli.task_api import TaskApi
from pipeline_cli.task_files import TIME, Tables, recorded, selected_rows
from pipeline_cli.task_run import FORMS, Precision

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
def stream(  # noqa: PLR0913, PLR0917 (one an option)
    task_id: Annotated[str, typer.Argument(metavar="TASK", help="Whose databases are recorded.", show_default=False)],
    duration: Annotated[str | None, typer.Option(help="How long, such as 10s or 1h30m.", show_default=False)] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Until when, such as 2026-11-28T10:00:00Z.", show_default=False),
    ] = None,
    recording_id: Name = None,
    no_wait: NoWait = False,
    url: Url = None,
) -> None:
    """Record what comes from now on, until a point is later or the clock is."""
    asked = _named(recording_id, task=task_id, stop=_stop(duration, until))
    api = TaskApi(url)
    _over(api, "recordings", api.begin("recordings/stream", asked), no_wait=no_wait)


@record.command()
def query(  # noqa: PLR0913, PLR0917 (one an option)
    text: Annotated[
        str,
        typer.Argument(
            metavar="QUERY",
            help="As in `select * from db.rp.measurement where time >= now() - 1h and time < now()`.",
            show_default=False,
        ),
    ],
    parquet: Annotated[
        Path | None,
        typer.Option(metavar="FILE|FOLDER", help="Of Parquet files, not of the queue.", show_default=False),
    ] = None,
    time_column: Annotated[
        str, typer.Option("--time", metavar="COLUMN", help="Which one of theirs is the time.")
    ] = TIME,
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="COLUMN", help="Those of theirs that are tags.", show_default=False),
    ] = None,
    recording_id: Name = None,
    no_wait: NoWait = False,
    url: Url = None,
) -> None:
    """Record what the queue keeps of one measurement, or what rows of Parquet files are as points of it."""
    if parquet is None and (tags or time_column != TIME):
        raise typer.BadParameter("--time and --tag are of the files that --parquet names")
    api = TaskApi(url)
    if parquet is None:
        begun = api.begin("recordings/query", _named(recording_id, query=text, type="stream"))
    else:
        rows = selected_rows(text, Tables(path=parquet, time=time_column, tags=tags or ()))
        begun = api.bring(recording_id, recorded(rows))
    _over(api, "recordings", begun, no_wait=no_wait)


@record.command("import")
def import_file(  # noqa: PLR0913, PLR0917 (one an option)
    data: Annotated[Path, typer.Argument(metavar="FILE", help=FORMS, show_default=False)],
    dbrp: Annotated[
        str,
        typer.Option(
            "--dbrp", metavar="DB.RP", help="Where its points belong, if they do not say.", show_default=False
        ),
    ] = "",
    precision: Precision = "n",
    recording_id: Name = None,
    no_wait: NoWait = False,
    url: Url = None,
) -> None:
    """Bring the points of a file to the server, as a recording."""
    from pipeline_queue.recordings.files import Reading, blocks_in

    reading = Reading(dbrp=_place(dbrp), precision=precision) if dbrp else Reading(precision=precision)
    api = TaskApi(url)
    _over(api, "recordings", api.bring(recording_id, recorded(blocks_in(data, reading))), no_wait=no_wait)


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
    recorded_times: Annotated[
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
    how = {"recording-time": recorded_times, "clock": "real" if real else "fast"}
    asked = _named(replay_id, task=task_id, recording=recording_id) | how
    told = _over(api, "replays", api.begin("replays", asked), no_wait=False)
    for alert in api.alerts(told["id"]) if alerts else ():
        print(json.dumps(alert))
    for name in outputs or ():
        print(json.dumps({"httpOut": name} | api.output(told["id"], name)))
    if not outputs and not alerts:
        for node, counters in told["stats"]["node-stats"].items():
            print(f"{node}: {counters['collected']:,} in, {counters['emitted']:,} out, {counters['errors']:,} errors")


def _named(name: str | None, **asked: Any) -> dict[str, Any]:
    return asked | ({"id": name} if name else {})


def _stop(duration: str | None, until: str | None) -> str:
    from pipeline_processing.tasks.times import duration_ns, rfc3339, time_ns

    if (duration is None) == (until is None):
        raise typer.BadParameter("either --duration or --until says when it ends")
    try:
        return rfc3339(time_ns(until) if until else time.time_ns() + duration_ns(duration or ""))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _place(dbrp: str) -> tuple[str, str]:
    from pipeline_processing.tasks.script_facts import dbrp_of

    try:
        return dbrp_of(dbrp)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _over(api: TaskApi, kind: str, told: dict[str, Any], *, no_wait: bool) -> dict[str, Any]:
    """Once it is over, or at once with `no_wait`; its name is printed. Raises CommandError where it failed."""
    print(told["id"], flush=True)
    while told["status"] == "running" and not no_wait:
        time.sleep(LOOK_S)
        told = api.stands(kind, told["id"])
    if told["status"] == "failed":
        raise CommandError(f"{told['id']} failed: {told['error']}")
    return told
