"""The collector's clients: who may send events, in a file that holds no secret (see pipeline_input.collector.clients)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from pipeline_cli.errors import CommandError

app = typer.Typer(help="Who may send events.", no_args_is_help=True)
File = Annotated[Path, typer.Option("--file", envvar="EVENTS_CLIENTS", help="The clients' file.", show_default=False)]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What the client is called.", show_default=False)],
    file: File,
    events_per_s: Annotated[
        float | None, typer.Option(min=0.001, help="How fast it may send.", show_default=False)
    ] = None,
    body_bytes_max: Annotated[
        int | None, typer.Option(min=1, help="How large its requests may be.", show_default=False)
    ] = None,
) -> None:
    """Make a client and print its token, which is kept nowhere. Collectors know it once they are started again."""
    from pipeline_input.collector.clients import Limits, new_token, read, write

    known = read(file) if file.exists() else {}
    if name in known:
        raise CommandError(f"{file} has a client `{name}` already; `pipeline clients remove {name}` first")
    if events_per_s is not None and not math.isfinite(events_per_s):
        raise typer.BadParameter("--events-per-s is no finite number")
    token, digest = new_token()
    write(file, known | {name: Limits(token_sha256=digest, events_per_s=events_per_s, body_bytes_max=body_bytes_max)})
    print(token)


@app.command("remove")
def remove(name: Annotated[str, typer.Argument(help="Who.", show_default=False)], file: File) -> None:
    """Forget a client. Collectors refuse it once they are started again."""
    from pipeline_input.collector.clients import read, write

    known = read(file)
    if name not in known:
        raise CommandError(f"{file} has no client `{name}`; there are {', '.join(known) or 'none'}")
    write(file, {each: limits for each, limits in known.items() if each != name})


@app.command("list")
def list_clients(file: File) -> None:
    """Who there is, with what each may."""
    from pipeline_input.collector.clients import read

    for name, limits in read(file).items():
        rate = "any rate" if limits.events_per_s is None else f"{limits.events_per_s:g} events/s"
        size = "any size" if limits.body_bytes_max is None else f"{limits.body_bytes_max:,} bytes a request"
        print(f"{name}: {rate}, {size}")
