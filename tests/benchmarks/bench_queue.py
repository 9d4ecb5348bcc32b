"""Publishing, encoding included, through each broker and through the bare means below it.

    python tests/benchmarks/bench_queue.py [kafka://host:port ...] [--disk]

In:   queue URLs; a SQLite queue in a temporary folder is always measured. `--disk` asks for durability=disk.
Out:  a table: events of some 157 bytes in blocks of 10,000 and one a message; own µs an event, Kafka's µs an event,
      events/s, and the ratio of own µs to the bare means: kafka-python's producer with the same options and ready
      bytes, an INSERT a block into a bare SQLite file, a write a block to a bare file.
Figure: at least 300,000 events/s in blocks, acks=all, and the SQLite broker likewise.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from secrets import token_hex

from kafka import KafkaProducer
from measuring import Cost, in_turns
from pipeline_queue.brokers import Broker, Message, open_broker
from pipeline_queue.brokers.kafka import KafkaBroker
from pipeline_queue.brokers.protocol import Durability
from pipeline_queue.codec import blocks, encode
from pipeline_queue.events import Event, event_id, event_type
from pipeline_queue.topics import RANDOM_NUMBERS, Topic
from rich.console import Console
from rich.table import Table

BLOCK_EVENTS = 10_000
BLOCKS = 30
SINGLES = 10_000
SINGLES_A_CALL = 1000
FIGURE = 300_000


def main() -> None:
    parser = argparse.ArgumentParser(description="What publishing costs.")
    parser.add_argument("urls", nargs="*", help="kafka://host:port")
    parser.add_argument("--disk", action="store_true", help="durability=disk: an acknowledgement survives power loss")
    given = parser.parse_args()
    durability: Durability = "disk" if given.disk else "process"
    events = made(BLOCK_EVENTS)
    table = new_table(f"Publishing, durability={durability}, {len(encode(events)) // len(events)} bytes an event")
    with tempfile.TemporaryDirectory() as folder:
        for url in (f"sqlite://{folder}/queue", *given.urls):
            with closing(open_broker(url, durability=durability)) as broker:
                show(table, url, measured(url, broker, events, Path(folder)))
    Console(width=120).print(table)


def made(count: int) -> list[Event]:
    make, producer = event_type(RANDOM_NUMBERS), "random-numbers-0123abcd"
    return [
        make(
            event_id=event_id(producer, seq),
            time_ns=1_795_348_800_000_000_000 + seq,
            producer=producer,
            seq=seq,
            value=(seq * 0.618033988749895) % 1,
        )
        for seq in range(count)
    ]


def measured(url: str, broker: Broker, events: list[Event], folder: Path) -> dict[str, Cost]:
    topic = Topic(name=f"bench-{token_hex(4)}", doc="", own_columns=RANDOM_NUMBERS.own_columns, key="producer")
    broker.create([topic])
    ready = blocks(topic, events)
    pieces: dict[str, Callable[[], int]] = {
        "encode only": lambda: sum(len(blocks(topic, events)) * BLOCK_EVENTS for _ in range(BLOCKS)),
        "blocks of 10,000": lambda: in_blocks(broker, topic, events),
        "one a message": lambda: one_a_message(broker, topic, events),
    }
    bare = bare_kafka(broker, topic, ready) if url.startswith("kafka:") else bare_files(folder, ready)
    return in_turns(pieces | bare)


def in_blocks(broker: Broker, topic: Topic, events: list[Event]) -> int:
    for _ in range(BLOCKS):
        broker.publish(topic.name, blocks(topic, events))
    return BLOCKS * BLOCK_EVENTS


def one_a_message(broker: Broker, topic: Topic, events: list[Event]) -> int:
    for start in range(0, SINGLES, SINGLES_A_CALL):
        broker.publish(topic.name, blocks(topic, events[start : start + SINGLES_A_CALL], events_max=1))
    return SINGLES


def bare_kafka(broker: Broker, topic: Topic, ready: Sequence[Message]) -> Mapping[str, Callable[[], int]]:
    assert isinstance(broker, KafkaBroker)
    producer = KafkaProducer(**broker._producer_options())
    (message,) = ready

    def run() -> int:
        for _ in range(BLOCKS):
            producer.send(topic.name, value=message.value, key=message.key, headers=list(message.headers))
            producer.flush()
        return BLOCKS * BLOCK_EVENTS

    return {"bare kafka-python, ready bytes": run}


def bare_files(folder: Path, ready: Sequence[Message]) -> Mapping[str, Callable[[], int]]:
    rows = sqlite3.connect(folder / "bare.db", isolation_level=None)
    rows.execute("PRAGMA journal_mode = WAL")
    rows.execute("PRAGMA synchronous = NORMAL")
    rows.execute("CREATE TABLE records (id INTEGER PRIMARY KEY, value BLOB NOT NULL)")
    file = os.open(folder / "bare.bytes", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    (message,) = ready

    def insert() -> int:
        for _ in range(BLOCKS):
            rows.execute("INSERT INTO records (value) VALUES (?)", (message.value,))
        return BLOCKS * BLOCK_EVENTS

    def write() -> int:
        for _ in range(BLOCKS):
            os.write(file, message.value)
        return BLOCKS * BLOCK_EVENTS

    return {"bare SQLite insert, ready bytes": insert, "bare file write, ready bytes": write}


def new_table(title: str) -> Table:
    table = Table("queue", "what", title=title, box=None)
    for name in ("own µs/event", "Kafka's µs/event", "events/s", "own µs / bare"):
        table.add_column(name, justify="right")
    return table


def show(table: Table, url: str, costs: Mapping[str, Cost]) -> None:
    bare = next(cost for name, cost in costs.items() if name.startswith("bare"))
    for name, cost in costs.items():
        mark = "" if name != "blocks of 10,000" else " ok" if cost.events_per_s >= FIGURE else f" < {FIGURE:,}"
        table.add_row(
            url.split(":", maxsplit=1)[0],
            name,
            f"{cost.own_us:.3f}",
            f"{cost.kafka_us:.3f}" if url.startswith("kafka:") else "",
            f"{cost.events_per_s:,.0f}{mark}",
            f"{cost.own_us / bare.own_us:.1f}",
        )


if __name__ == "__main__":
    main()
