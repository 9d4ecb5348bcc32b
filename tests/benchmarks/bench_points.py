"""What a point costs on its way in: parsed, made a block, read from it, made a task's frame; and written out again.

    python tests/benchmarks/bench_points.py

Out:  a table: µs of processor time a point, in batches of 5,000 lines of 1,000 series.
Figures: for a line of one short float parsing 0.16 to 0.3 µs, a block 0.1 µs each way.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from measuring import in_turns
from pipeline_processing.points.keys import Keys
from pipeline_processing.points.reading import Mapping as SeriesMapping
from pipeline_processing.points.reading import Reader
from pipeline_queue.points.block import Origin, as_points, decode, messages
from pipeline_queue.points.line_protocol import Parser
from pipeline_queue.points.lines import to_lines
from rich.console import Console
from rich.table import Table

LINES, SERIES, ROUNDS = 5_000, 1_000, 20
ORIGIN = Origin("telegraf", "autogen")
PLAIN = "usage=12.5"
FIGURES = {"parse": 0.3, "to a block": 0.1, "from a block": 0.1}


def main() -> None:
    table = Table("lines", "what", title=f"{LINES:,} lines of {SERIES:,} series", box=None)
    table.add_column("µs/point", justify="right")
    for name, body in bodies().items():
        for what, cost in in_turns(pieces(body)).items():
            figure = FIGURES.get(what) if name == PLAIN else None
            mark = "" if figure is None else " ok" if cost.own_us <= figure else f" > {figure}"
            table.add_row(name, what, f"{cost.own_us:.3f}{mark}")
    Console(width=100).print(table)


def bodies() -> Mapping[str, bytes]:
    chance = random.Random(0)

    def lines(fields: Callable[[], str]) -> bytes:
        return "".join(
            f"cpu,host=host{chance.randrange(SERIES):04d},region=eu {fields()} {1_500_000_000_000_000_000 + i * 10**6}\n"
            for i in range(LINES)
        ).encode()

    return {
        PLAIN: lines(lambda: f"usage={chance.randrange(1000) / 10}"),
        "17 digits": lines(lambda: f"usage={100 * chance.random()!r}"),
        "ten fields": lines(lambda: ",".join(f"usage_{i}={chance.randrange(1000) / 10}" for i in range(10))),
        "a string": lines(lambda: f'message="request {chance.randrange(10**6)} \\"took\\" long",status=200i'),
        "tags unsorted": lines(lambda: "usage=12.5").replace(b",region=eu", b"").replace(b"cpu,", b"cpu,region=eu,"),
    }


def pieces(body: bytes) -> Mapping[str, Callable[[], int]]:
    parser, reader, keys, mapping = Parser(), Reader(), Keys(), SeriesMapping()
    (batch,) = parser.parse(body, now_ns=0).batches
    (message,) = messages(ORIGIN, batch)
    block = reader.of_batch("d", "r", batch)
    points = as_points(batch)
    steps: Mapping[str, Callable[[], object]] = {
        "parse": lambda: parser.parse(body, now_ns=0),
        "to a block": lambda: list(messages(ORIGIN, batch)),
        "from a block": lambda: reader.of_batch("d", "r", decode(message.value)[1]),
        "a task's frame": lambda: block.frame(mapping, keys, first_cause=0),
        "to lines": lambda: to_lines(points),
    }
    return {what: repeated(step) for what, step in steps.items()}


def repeated(step: Callable[[], object]) -> Callable[[], int]:
    def run() -> int:
        for _ in range(ROUNDS):
            step()
        return ROUNDS * LINES

    return run


if __name__ == "__main__":
    main()
