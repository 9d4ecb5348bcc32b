"""`pipeline audit`: are all events that were acknowledged in every store, once?"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipeline_cli.errors import BooksDiffer
from pipeline_cli.where import ledger_folder, open_stores

if TYPE_CHECKING:
    from pipeline_output.audit import Account

NS_PER_HOUR = 3_600_000_000_000
COLUMNS = ("made", "acknowledged", "stored", "late", "on_the_way", "lost", "twice")


def audit(
    hours: Annotated[
        float,
        typer.Option(min=0.01, help="How far back; stores forget windows after a week. The census counts since ever."),
    ] = 24.0,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each source and store.")] = False,
) -> None:
    """Compare the producers' ledgers with the stores, event by event; status 1 if events are lost or twice."""
    from pipeline_output.audit import accounts

    with open_stores() as stores:
        found = list(accounts(ledger_folder(), stores, time.time_ns() - round(hours * NS_PER_HOUR)))
    if as_json:
        for each in found:
            print(json.dumps(asdict(each)))
    else:
        Console().print(_table(found))
    lost, twice = sum(each.lost for each in found), sum(each.twice for each in found)
    if lost or twice:
        raise BooksDiffer(lost=lost, twice=twice, missing=next((each.missing for each in found if each.missing), ""))


def _table(found: list[Account]) -> Table:
    table = Table(box=None)
    for name in ("source", "store"):
        table.add_column(name, no_wrap=True)
    for name in COLUMNS:
        table.add_column(name.replace("_", " "), justify="right")
    for each in found:
        table.add_row(each.source, each.store, *(f"{getattr(each, name):,}" for name in COLUMNS))
    return table
