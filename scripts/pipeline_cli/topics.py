"""`pipeline topics`: what is declared, what is there, what travels."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Annotated

import typer
from pipeline_queue.brokers import Broker, Record
from pipeline_queue.catalog import topic, topics
from rich.console import Console
from rich.table import Table

from pipeline_cli.where import open_queue

app = typer.Typer(help="The queue's topics.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One line of JSON each.")]
Name = Annotated[str, typer.Argument(help="A topic's name.", show_default=False)]


@app.command()
def create() -> None:
    """Make every declared topic that is not there yet."""
    broker = open_queue()
    broker.create(topics().values())
    typer.echo(f"topics are there: {', '.join(broker.topics())}", err=True)


@app.command("list")
def list_topics(as_json: Json = False) -> None:
    """The declared topics: what they carry and how they are kept."""
    if as_json:
        for each in topics().values():
            print(
                json.dumps(
                    {
                        "name": each.name,
                        "doc": each.doc,
                        "key": each.key,
                        "partitions": each.partitions,
                        "retention_s": each.retention_s,
                        "columns": [column.name for column in each.columns],
                    }
                )
            )
        return
    table = Table("topic", "carries", "key", "partitions", "kept", box=None)
    for each in topics().values():
        table.add_row(each.name, each.doc, each.key, str(each.partitions), each.kept)
    Console().print(table)


@app.command()
def tail(
    name: Name,
    count: Annotated[int, typer.Option("-n", "--count", min=0, help="How many of the newest lines first.")] = 10,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until stopped.")] = False,
) -> None:
    """The newest lines of a topic, as they travel."""
    topic(name)
    broker = open_queue()
    ends = broker.end_offsets(name)
    begins = broker.begin_offsets(name)
    start = {partition: max(begins[partition], end - count) for partition, end in ends.items()}
    newest = [line for record in _between(broker, name, start, ends) for line in record.value.splitlines()]
    for line in newest[len(newest) - count :]:
        print(shown(line.decode(errors="backslashreplace")))
    while follow:
        for record in broker.read(name, ends, wait_s=1.0):
            ends[record.partition] = record.offset + 1
            for line in record.value.splitlines():
                print(shown(line.decode(errors="backslashreplace")), flush=True)


@app.command()
def count(name: Name, as_json: Json = False) -> None:
    """How many records and lines a topic holds, by partition."""
    topic(name)
    broker = open_queue()
    begins, ends = broker.begin_offsets(name), broker.end_offsets(name)
    lines = dict.fromkeys(ends, 0)
    for record in _between(broker, name, begins, ends):
        lines[record.partition] += len(record.value.splitlines())
    rows = [{"partition": each, "records": ends[each] - begins[each], "lines": lines[each]} for each in sorted(ends)]
    if as_json:
        for row in rows:
            print(json.dumps(row))
        return
    table = Table("partition", "records", "lines", box=None)
    for row in rows:
        table.add_row(*(f"{value:,}" for value in row.values()))
    table.add_row("all", f"{sum(row['records'] for row in rows):,}", f"{sum(lines.values()):,}")
    Console().print(table)


def shown(text: str) -> str:
    """The text with control characters escaped: what somebody sent must not steer a terminal."""
    return "".join(repr(each)[1:-1] if unicodedata.category(each) == "Cc" and each != "\n" else each for each in text)


def _between(broker: Broker, name: str, start: dict[int, int], ends: dict[int, int]) -> Iterator[Record]:
    """The records from `start` up to `ends`, by append time within what each read gives."""
    left = {partition: offset for partition, offset in start.items() if offset < ends[partition]}
    while left:
        for record in sorted(broker.read(name, left, wait_s=1.0), key=lambda record: record.append_time_ns):
            if record.offset < ends[record.partition]:
                yield record
            left[record.partition] = record.offset + 1
        left = {partition: offset for partition, offset in left.items() if offset < ends[partition]}
