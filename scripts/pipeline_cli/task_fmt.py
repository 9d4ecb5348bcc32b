"""`pipeline task fmt`: the layout of scripts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

STANDARD_INPUT = "-"


def fmt(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE|-]...", help="Scripts; `-`, or none, is standard input.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say which are laid out otherwise; status 1 if one is.")
    ] = False,
    in_place: Annotated[bool, typer.Option("--in-place", help="Write the files instead of printing them.")] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Turn the dialect of Kapacitor 0.10 into that of 1.x.")
    ] = False,
) -> None:
    """Lay out TICKscripts as tickfmt does."""
    from pipeline_processing.tickscript.errors import TickError
    from pipeline_processing.tickscript.formatting import decoded, formatted
    from pipeline_processing.tickscript.upgrade import upgraded

    if check and in_place:
        raise typer.BadParameter("--check writes nothing and --in-place does; choose one")
    laid_out = upgraded if upgrade else formatted
    failed = False
    for name in files or [STANDARD_INPUT]:
        try:
            before = decoded(_read(name))
            after = laid_out(before)
            if check:
                failed |= _differs(name, before, after)
            elif in_place and name != STANDARD_INPUT:
                _write(name, before, after)
            else:
                sys.stdout.write(after)
        except TickError as error:
            typer.echo(f"{_shown(name)}: {error}", err=True)
            failed = True
        except OSError as error:
            typer.echo(f"{_shown(name)}: {error.strerror}", err=True)
            failed = True
    raise typer.Exit(int(failed))


def _read(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()


def _write(name: str, before: str, after: str) -> None:
    if after != before:
        Path(name).write_bytes(after.encode())


def _differs(name: str, before: str, after: str) -> bool:
    if after != before:
        typer.echo(f"{_shown(name)}: not laid out as `pipeline task fmt` does", err=True)
    return after != before


def _shown(name: str) -> str:
    return "standard input" if name == STANDARD_INPUT else name
