"""Random numbers from the draw to the acknowledgement: what making, encoding and publishing cost.

    python tests/benchmarks/bench_input.py [kafka://host:port ...]

In:   queue URLs; memory and a SQLite queue in a temporary folder are always measured.
Out:  a table: own µs an event for making alone, for the bare encode, and for all of the loop in produce.py (make, note,
      encode, publish, note) in blocks and one a message; the ratio to the bare encode of the same run; and the share of
      a core that the highest rates of both kinds take, 100,000 and 1,000 events/s.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from measuring import Cost, in_turns
from pipeline_input.produce import Outlet, run
from pipeline_input.sources import SOURCES
from pipeline_queue.brokers import Broker, open_broker
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import encode
from pipeline_queue.events import Event, new_producer
from pipeline_queue.ledger import FileLedger
from pipeline_queue.service import Service, ServiceOptions
from pipeline_queue.settings import filled
from rich.console import Console
from rich.table import Table

NOON_NS = 1_795_348_800_000_000_000
SOURCE = SOURCES["random-numbers"]
FAST, SLOW = 100_000, 1000
SECONDS = {FAST: 2, SLOW: 10}


def main() -> None:
    table = Table("queue", "what", title="Random numbers, from the draw to the acknowledgement", box=None)
    for name in ("own µs/event", "events/s", "µs / bare encode", "share of a core"):
        table.add_column(name, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        for url in ("memory://bench", f"sqlite://{folder}/queue", *sys.argv[1:]):
            with closing(open_broker(url)) as broker:
                broker.create([SOURCE.topic])
                show(table, url, in_turns(pieces(url, broker, Path(folder))))
    Console(width=120).print(table)


def pieces(url: str, broker: Broker, folder: Path) -> dict[str, Callable[[], int]]:
    events = list(made(FAST, ManualClock(NOON_NS)))
    return {
        "make": lambda: sum(1 for _ in made(FAST, ManualClock(NOON_NS))),
        "bare encode": lambda: len(encode(events)) and len(events),
        "all, blocks (100,000/s)": lambda: produced(url, broker, folder, FAST),
        "all, one a message (1,000/s)": lambda: produced(url, broker, folder, SLOW),
    }


def made(rate: int, clock: ManualClock) -> Iterator[Event]:
    """Two seconds' worth."""
    source = SOURCE.batches(filled(SOURCE.settings, rate=rate), clock, "random-numbers-0123abcd")
    return islice((event for batch in source for event in batch), 2 * rate)


def produced(url: str, broker: Broker, folder: Path, rate: int) -> int:
    """Some seconds of the manual clock, as fast as they go."""
    clock, producer = ManualClock(NOON_NS), new_producer("random-numbers")
    end_ns = NOON_NS + SECONDS[rate] * 1_000_000_000
    service = Service(ServiceOptions(name="bench", stage="input", queue_url=url))
    with closing(FileLedger(folder / "ledger", producer)) as ledger:
        outlet = Outlet(producer=producer, clock=clock, broker=broker, service=service, ledger=ledger)
        run(SOURCE, filled(SOURCE.settings, rate=rate), outlet, lambda: clock.now_ns() >= end_ns)
    return rate * SECONDS[rate]


def show(table: Table, url: str, costs: dict[str, Cost]) -> None:
    bare = costs["bare encode"]
    for name, cost in costs.items():
        rate = SLOW if "one a message" in name else FAST
        table.add_row(
            url.split(":", maxsplit=1)[0],
            name,
            f"{cost.own_us:.3f}",
            f"{cost.events_per_s:,.0f}",
            f"{cost.own_us / bare.own_us:.1f}",
            f"{cost.own_us * rate / 1e6:.1%}",
        )


if __name__ == "__main__":
    main()
