"""`pipeline deadletters`: what could not be read, why, and once more."""

from __future__ import annotations

import base64
import json
import sys
from typing import Annotated

import typer
from pipeline_queue import dead_letters
from pipeline_queue.dead_letters import DeadLetter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline_cli.topics import shown
from pipeline_cli.where import open_queue

app = typer.Typer(help="What could not be read.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One line of JSON each.")]
LetterId = Annotated[str, typer.Argument(help="A letter's id: topic/partition/offset/line.", show_default=False)]
SHOWN_BYTES = 60


@app.command("list")
def list_letters(as_json: Json = False) -> None:
    """All dead letters, oldest first, each once."""
    found = dead_letters.letters(open_queue())
    if as_json:
        for letter in found:
            print(json.dumps(_as_json(letter)))
        return
    table = Table("id", "bytes", "reason", "begins with", box=None)
    for letter in found:
        cells = (letter.letter_id, f"{letter.size_bytes:,}", letter.reason, repr(letter.raw[:SHOWN_BYTES]))
        table.add_row(*map(Text, cells))  # as text: what somebody sent may look like markup
    Console().print(table)


@app.command()
def show(letter_id: LetterId, as_json: Json = False) -> None:
    """One dead letter: its origin, its reason, and its bytes."""
    letter = dead_letters.find(open_queue(), letter_id)
    if as_json:
        print(json.dumps(_as_json(letter)))
        return
    typer.echo(f"{letter.letter_id}: {letter.reason}", err=True)
    typer.echo(shown(letter.raw.decode(errors="backslashreplace")) if sys.stdout.isatty() else letter.raw)


@app.command()
def replay(letter_id: LetterId) -> None:
    """Publish a dead letter's bytes once more on the topic they came from."""
    broker = open_queue()
    letter = dead_letters.find(broker, letter_id)
    dead_letters.replay(broker, letter)
    typer.echo(f"{len(letter.raw):,} bytes went to `{letter.topic}` once more", err=True)


def _as_json(letter: DeadLetter) -> dict[str, object]:
    return {
        "id": letter.letter_id,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "line": letter.line,
        "reason": letter.reason,
        "size_bytes": letter.size_bytes,
        "append_time_ns": letter.append_time_ns,
        "key": letter.key.decode(errors="backslashreplace") if letter.key is not None else None,
        "raw_base64": base64.b64encode(letter.raw).decode(),
    }
