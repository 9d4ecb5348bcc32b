"""`pipeline load`: events of applications, from the queue in bulk into tables of a database."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pipeline_queue.settings import filled
from rich.console import Console
from rich.table import Table

from pipeline_cli.where import DATA_DIR, CommandSettings

if TYPE_CHECKING:
    from pipeline_output.loader.service import Outcome
    from pipeline_output.loader.settings import LoaderSettings
    from pipeline_output.loader.status import Status

app = typer.Typer(invoke_without_command=True)
NS_PER_S = 1_000_000_000
PASSWORD_BYTES = 24


@app.callback()
def load(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Load what is there, say what that was, and end.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be loaded; write nothing.")] = False,
) -> None:
    """Output: load applications' events into the tables of a database until stopped."""
    if context.invoked_subcommand:
        return
    from pipeline_output.loader import service

    if dry_run:
        for each in service.rehearsed(_settings()):
            typer.echo(
                f"{each.type}: {each.events:,} events wait, {each.dead:,} dead letters, {each.gone:,} messages gone"
            )
    elif once:
        _say(service.load_once(_settings()))
    else:
        service.load(_settings())


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each type.")] = False) -> None:
    """Of each event type: what waits and how long, the last load, dead letters."""
    from pipeline_output.loader.service import standing

    found = standing(_settings())
    if as_json:
        for each in found:
            print(json.dumps(asdict(each)))
    else:
        Console().print(_table(found))


@app.command()
def password(
    file: Annotated[Path, typer.Argument(help="Where it is kept: what DB_PASSWORD_FILE names.", show_default=False)],
) -> None:
    """Make a database's password in a file, where it has none yet."""
    with tempfile.NamedTemporaryFile("w", dir=file.parent) as whole:
        whole.write(f"{secrets.token_urlsafe(PASSWORD_BYTES)}\n")
        whole.flush()
        os.fsync(whole.fileno())
        os.fchmod(whole.fileno(), 0o444)  # PostgreSQL is another user; who else may see it is for the folder to say
        with contextlib.suppress(FileExistsError):
            os.link(whole.name, file)


def _say(outcomes: list[Outcome]) -> None:
    """What was loaded, and then what was not: the exit status tells, too."""
    for outcome in outcomes:
        for name, count in sorted(outcome.loaded.items()):
            counted = f"{count['events']:,} events, {count['new']:,} of them new, {count['dead']:,} dead letters"
            typer.echo(f"{name}: {counted}, {count['gone']:,} messages gone")
        for trouble in outcome.held_up:
            typer.echo(trouble, err=True)
    for outcome in outcomes:
        if outcome.away is not None:
            raise outcome.away
    if any(outcome.held_up for outcome in outcomes):
        raise typer.Exit(1)


def _settings() -> LoaderSettings:
    """Beside a demo its queue and its database, where the settings name no queue."""
    from pipeline_output.loader.settings import LoaderSettings

    folder = DATA_DIR.absolute()
    if filled(CommandSettings).queue_url is not None or not (folder / "queue").is_dir():
        return filled(LoaderSettings)
    return filled(LoaderSettings, queue_url=f"sqlite://{folder}/queue", database_url=f"sqlite://{folder}/events.db")


def _table(found: list[Status]) -> Table:
    table = Table(box=None)
    table.add_column("type", no_wrap=True)
    for name in ("waiting", "for s", "last load", "loaded", "dead letters", "gone"):
        table.add_column(name, justify="right")
    for each in found:
        table.add_row(
            each.type,
            *(f"{each.lag_events:,}", f"{each.lag_s:,.0f}", _when(each.loaded_at_ns)),
            *(f"{each.events:,}", f"{each.dead:,}", f"{each.gone:,}"),
        )
    return table


def _when(time_ns: int) -> str:
    if not time_ns:
        return "never"
    return datetime.fromtimestamp(time_ns // NS_PER_S).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
