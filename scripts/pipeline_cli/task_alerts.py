"""`pipeline task alerts`: what became of the alerts that handlers were to deliver."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from pipeline_cli.task_api import TaskApi

COUNTED = ("delivered", "retried", "refused", "repeated", "pending")
SHOWN = ("time", "handler", "alert", "attempts", "reason")


def alerts(
    as_json: Annotated[bool, typer.Option("--json", help="What the API says, as JSON.")] = False,
    url: Annotated[
        str | None, typer.Option("--url", help="Where the task API is; TASKS_URL if unset.", show_default=False)
    ] = None,
) -> None:
    """What became of alerts: counts by handler, and the newest that were given up, with the reason."""
    found = TaskApi(url).deliveries()
    if as_json:
        print(json.dumps(found, indent=4))
        return
    handlers = Table("handler", *COUNTED, box=None)
    for kind, counts in found["handlers"].items():
        handlers.add_row(kind, *(f"{counts[name]:,}" for name in COUNTED))
    given_up = Table(Column("given up", no_wrap=True), *SHOWN[1:], box=None)
    for each in found["given-up"]:
        given_up.add_row(*(str(each[name]) for name in SHOWN))
    for table in (handlers, given_up):
        Console().print(table)
