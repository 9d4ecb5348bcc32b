"""`pipeline task`: tasks of the engine, through its API."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipeline_cli.errors import CommandError, TaskRefused
from pipeline_cli.task_alerts import alerts
from pipeline_cli.task_api import TaskApi
from pipeline_cli.task_fmt import fmt
from pipeline_cli.task_recordings import record, replay
from pipeline_cli.task_run import run, test_scripts
from pipeline_cli.task_variables import variables_in

app = typer.Typer(help="Tasks: TICKscripts that run on the queue's points.", no_args_is_help=True)
app.command()(alerts)
app.command()(fmt)
app.command()(run)
app.command("test")(test_scripts)
app.add_typer(record, name="record")
app.command()(replay)

Url = Annotated[
    str | None, typer.Option("--url", help="Where the task API is; TASKS_URL if unset.", show_default=False)
]
Patterns = Annotated[list[str], typer.Argument(metavar="ID|PATTERN...", help="As in `cpu_*`.", show_default=False)]
Id = Annotated[str, typer.Argument(metavar="ID", help="The task's name.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="What the API says, as JSON.")]
LISTED = ("type", "status", "executing", "dbrps", "error")


@app.command()
def define(
    task_id: Id,
    script: Annotated[Path | None, typer.Option("--tick", help="The TICKscript's file.", show_default=False)] = None,
    dbrps: Annotated[
        list[str] | None,
        typer.Option(
            "--dbrp", metavar="DB.RP", help="A database and retention policy that it reads.", show_default=False
        ),
    ] = None,
    variables: Annotated[
        Path | None, typer.Option("--vars", help="A JSON file with values of its variables.", show_default=False)
    ] = None,
    url: Url = None,
) -> None:
    """Make a task, or change what is said here of one that is there; one that runs goes on as changed."""
    api = TaskApi(url)
    said: dict[str, Any] = {}
    if script is not None:
        said["script"] = _text(script)
    if dbrps:
        said["dbrps"] = [dbrp(each) for each in dbrps]
    if variables is not None:
        said["vars"] = variables_in(variables)
    if api.find(task_id) is None:
        api.create({"id": task_id} | said)
    else:
        api.patch(task_id, said)


@app.command()
def enable(
    patterns: Patterns,
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Forget, and begin with what the queue took from `-1h` or `2026-11-28T10:00:00Z` on.",
            show_default=False,
        ),
    ] = None,
    url: Url = None,
) -> None:
    """Run tasks, now and whenever the engine starts."""
    _change(TaskApi(url), patterns, {"status": "enabled"} | ({"from": since} if since else {}))


@app.command()
def disable(patterns: Patterns, url: Url = None) -> None:
    """Let tasks run no more."""
    _change(TaskApi(url), patterns, {"status": "disabled"})


@app.command()
def reload(patterns: Patterns, url: Url = None) -> None:
    """Stop tasks and start them again; they go on from their snapshots."""
    api = TaskApi(url)
    for status in ("disabled", "enabled"):
        _change(api, patterns, {"status": status})


@app.command("list")
def list_tasks(
    pattern: Annotated[str, typer.Argument(metavar="[PATTERN]", help="As in `cpu_*`.")] = "",
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Tasks, and whether they run."""
    found = list(TaskApi(url).every(pattern, LISTED))
    if as_json:
        for each in found:
            print(json.dumps(each))
        return
    table = Table("id", "type", "status", "executing", "databases and retention policies", "error", box=None)
    for each in found:
        executing = str(each["executing"]).lower()
        table.add_row(*(each["id"], each["type"], each["status"], executing, _named(each["dbrps"]), each["error"]))
    Console().print(table)


@app.command()
def show(task_id: Id, as_json: AsJson = False, url: Url = None) -> None:
    """All of one task: how it stands, its script, and its graph with counters."""
    found = TaskApi(url).show(task_id)
    if as_json:
        print(json.dumps(found, indent=4))
        return
    for name in ("id", "error", "type", "status", "executing", "created", "modified", "last-enabled"):
        value = found[name]
        print(f"{name}: {str(value).lower() if isinstance(value, bool) else value}".rstrip())
    print(f"databases and retention policies: {_named(found['dbrps'])}")
    if "from" in found:
        print(f"from: {found['from']}")
    for name, var in sorted(found["vars"].items()):
        print(f"var {name} {var['type']}: {json.dumps(var['value'])}")
    print(f"script:\n{found['script']}\ngraph:\n{found['dot']}")


@app.command()
def delete(patterns: Patterns, url: Url = None) -> None:
    """Forget tasks and what they remember."""
    api = TaskApi(url)
    for task_id in _matching(api, patterns):
        api.delete(task_id)


@app.command()
def watch(
    task_id: Id,
    interval_s: Annotated[float, typer.Option("--interval", min=0.1, help="Seconds between two looks.")] = 1.0,
    looks: Annotated[int | None, typer.Option(min=1, help="End after so many.", show_default=False)] = None,
    url: Url = None,
) -> None:
    """Print a line of each node's counters every second, until the task stops or Ctrl-C."""
    api, look = TaskApi(url), 0
    while True:
        found = api.show(task_id)
        if not found["executing"]:
            raise CommandError(f"{task_id} does not run: {found['error'] or found['status']}")
        print(_line(found["stats"]), flush=True)
        look += 1
        if look == looks:
            return
        time.sleep(interval_s)


def dbrp(text: str) -> dict[str, str]:
    """`db.rp`, each in double quotes or not; in quotes a name may hold a dot."""
    from pipeline_processing.tasks.script_facts import dbrp_of

    try:
        database, retention_policy = dbrp_of(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return {"db": database, "rp": retention_policy}


def _change(api: TaskApi, patterns: list[str], change: dict[str, str]) -> None:
    for task_id in _matching(api, patterns):
        api.patch(task_id, change)


def _matching(api: TaskApi, patterns: list[str]) -> list[str]:
    """Ids; raises TaskRefused where a pattern fits none, before anything is done."""
    found: dict[str, None] = {}
    for pattern in patterns:
        ids = [each["id"] for each in api.every(pattern)]
        if not ids:
            raise TaskRefused(f"no task fits `{pattern}`; `pipeline task list` says which there are")
        found |= dict.fromkeys(ids)
    return list(found)


def _named(dbrps: list[dict[str, str]]) -> str:
    return ", ".join(f"{pair['db']}.{pair['rp']}" for pair in dbrps)


def _line(stats: dict[str, Any]) -> str:
    nodes = "  ".join(
        f"{name} {counters['collected']:,}→{counters['emitted']:,}"
        + (f" ({counters['errors']:,} errors)" if counters["errors"] else "")
        for name, counters in stats["node-stats"].items()
    )
    return f"{stats['task-stats']['throughput']:,.1f} points/s  {nodes}"


def _text(path: Path) -> str:
    from pipeline_processing.tickscript.errors import TickError
    from pipeline_processing.tickscript.formatting import decoded

    try:
        return decoded(path.read_bytes())
    except (OSError, TickError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None
