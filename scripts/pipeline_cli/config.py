"""`pipeline config`: what each service's settings are, and where each value comes from."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from pipeline_queue.settings import Held, held
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline_cli.services import Service, service, services
from pipeline_cli.topics import shown


def config(
    name: Annotated[
        str | None, typer.Argument(metavar="[SERVICE]", help="A service, such as display; all if none is named.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each setting.")] = False,
) -> None:
    """Show the settings that hold here and where each comes from; status 1 if one is refused."""
    chosen = [service(name)] if name else services().values()
    found = [(each, held(each.settings)) for each in chosen]
    if not as_json:
        for each, settings in found:
            Console().print(_table(each, settings), "")
        return
    for each, settings in found:
        for setting in settings:
            print(json.dumps({"service": each.name} | asdict(setting)))


def _table(of: Service, settings: list[Held]) -> Table:
    table = Table("name", "value", "from", box=None, title=f"{of.name}, {of.title}", title_justify="left")
    for each in settings:
        table.add_row(each.name, _text("unset" if each.value is None else str(each.value)), _text(each.origin))
    return table


def _text(text: str) -> Text:
    """As it is, whole: a value may look like markup, and one that is cut says less than one that is broken."""
    return Text(shown(text), overflow="fold")
